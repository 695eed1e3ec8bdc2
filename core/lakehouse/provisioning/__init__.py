"""The way to a working connection: planned from what is there, carried out, looked at, ended."""
