"""Indicators: defined measures of what happened to referrals, computed from the timeline as of any instant."""
