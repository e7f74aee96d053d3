"""The command line: a file per command, and what the commands share. The only room that puts the others together."""
