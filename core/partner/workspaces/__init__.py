"""The workspaces of Databricks that partner connections lead to: reached with what Databricks has sent."""
