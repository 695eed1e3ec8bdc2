"""The journal: the append-only table of everything that was done, by whom, and with what outcome."""
