"""The ledger of places: how many of those set aside for referrals are free, and who waits for the next."""
