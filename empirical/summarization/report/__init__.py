"""The report as text; every number in it is one of the tables'."""
