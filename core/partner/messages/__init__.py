"""The Connect API as it goes over the wire: requests, answers and errors, read and written; and the PartnerConfig."""
