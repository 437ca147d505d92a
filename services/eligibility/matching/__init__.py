"""Matching: which services a returnee can have on a day, why, what stands in the way, and what to ask next."""
