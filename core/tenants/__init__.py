"""Tenants: databases given to clients, readable by the DataLens user."""
