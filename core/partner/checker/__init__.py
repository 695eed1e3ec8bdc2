"""Checks an implementation of the Connect API, whosever it is, over HTTP."""
