"""Freshness: whose review is due, what somebody has reported to be wrong, and what follows from both."""
