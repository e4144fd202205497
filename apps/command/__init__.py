"""The verbs of the command, a module each: `run` takes the options and gives the exit status.

It raises ValueError for a wrong option, name or file, and OSError for what the system refuses, each
with a line for people; KeyboardInterrupt passes, after a line on what is kept.
"""
