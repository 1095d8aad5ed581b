"""One module per verb: its options, what it calls, and what it prints. Packages are imported when a verb is run."""
