"""Figures, each with its unit and beside a peer or a bare loop of the same run."""
