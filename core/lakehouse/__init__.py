"""API connections of a Singdata (ClickZetta) Lakehouse: definition, cloud policies, provisioning, state."""
