"""Carries out what each request leads to: decided, made by a change, kept, and only then answered."""
