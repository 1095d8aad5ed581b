"""Sweeps: a file that describes a grid, the trials that it stands for, and a folder that they are computed into."""
