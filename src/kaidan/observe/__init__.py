"""What can be seen of executions from outside: log records, metrics, traces, events of their status.

Listens to the engine and asks nothing of it; knows neither the service nor HTTP.
"""
