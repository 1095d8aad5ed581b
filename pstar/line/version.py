"""`pstar --version`: what a report of a fault should name. Reads what is installed, and imports nothing of it."""

import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("jax", "jaxlib", "numpy", "scipy", "pandas", "pyarrow")
OPTIONAL = ("torch", "distributed")


def text() -> str:
    """Versions of pstar, Python and the packages that results depend on: pstar's first, one a line."""
    lines = [f"pstar {_installed('pstar')}", f"python {platform.python_version()} ({platform.platform()})"]
    lines += [f"{name} {_installed(name)}" for name in PACKAGES]
    there = [(name, _installed(name)) for name in OPTIONAL]
    return "\n".join([*lines, *(f"{name} {found}" for name, found in there if found != MISSING)])


MISSING = "not installed"


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return MISSING
