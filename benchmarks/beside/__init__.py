"""`audit_beside`: its five files, a script per tool, run by whatever interpreter has the tool, and its features."""
