"""Kaidan: AWS Step Functions as software anyone can run."""

__version__ = "0.1.0"
