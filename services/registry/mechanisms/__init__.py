"""Mechanisms: who receives referrals for which area and need, the routing table of the referral service."""
