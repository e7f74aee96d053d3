"""What is kept: executions, their histories, timers and tasks, and the service's documents."""
