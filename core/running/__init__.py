"""Running changes: the write-ahead file, the steps, and what becomes of them after a crash."""
