"""DataLens access tokens: their text, issuing them on all cores, verifying them, and the ledger of those issued."""
