"""The equations of `theory.equations`, solved: numbers by `numbers` (NumPy), what JAX traces by `traced`."""
