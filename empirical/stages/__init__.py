"""Experiments as stages, each a function whose result is there whole or not at all."""
