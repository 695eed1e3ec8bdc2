"""Lint: what is wrong, risky or without effect in an access model, why it matters, and the fix where there is one."""
