"""OAuth against the workspaces of Databricks: for a service principal (M2M) and in the name of a user (U2M)."""
