"""What a partner account and its users have in ClickHouse, as changes: made, joined, taken away."""
