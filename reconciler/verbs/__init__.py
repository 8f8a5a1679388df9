"""The verbs of the command line, a function each: it gives the exit status.  Called by `cli`."""
