"""Reports on an access model: lists, audits, what differs, and files told apart. Values and text, no engine."""
