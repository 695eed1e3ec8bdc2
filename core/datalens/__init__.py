"""DataLens: the `datalens` user, the onboarding checklist, and the listing pack for the Marketplace."""
