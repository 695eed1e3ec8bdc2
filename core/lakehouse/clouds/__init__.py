"""The access management of the three clouds, each by its own SDK, behind `core.lakehouse.cloud_access`."""
