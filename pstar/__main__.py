"""`python -m pstar`: the command line."""

from pstar.cli import main

main()
