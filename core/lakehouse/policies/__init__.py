"""The policy documents of a connection's role: made, written as commands, read, compared."""
