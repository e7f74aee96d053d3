"""Step Functions over HTTP: AWS's protocol, and the process that speaks it."""
