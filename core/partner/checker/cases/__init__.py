"""The cases of a check, by what they are about."""
