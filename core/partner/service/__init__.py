"""The HTTP service that Databricks calls, and the pages that it leads users to."""
