"""More than two classes, simulated (THEORY §10)."""
