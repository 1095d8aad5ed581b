"""The words of a command line: which options a verb has, what of a call is wrong, and help. Imports nothing heavy."""
