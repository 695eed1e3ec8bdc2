"""Databricks Partner Connect, the partner's side: what Databricks asks, what is decided, kept and answered."""
