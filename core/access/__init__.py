"""ClickHouse access control: the model, its SQL and its users.xml."""
