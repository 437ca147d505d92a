"""Monitoring: what happened to every referral, and how often it ended well.

Owns the timeline and the indicators. It learns from events alone: it asks no other service, holds no identity and no
text that a person wrote, and changes nothing that another service owns. All its tables can be emptied and filled again
by replaying the events.
"""
