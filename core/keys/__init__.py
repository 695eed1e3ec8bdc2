"""RSA keys of both sides by version: made, read, kept under a passphrase, and told apart by fingerprint."""
