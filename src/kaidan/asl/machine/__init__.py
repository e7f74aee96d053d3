"""The sans-IO machine: `advance(execution, event, now) → effects`, and the execution as data."""
