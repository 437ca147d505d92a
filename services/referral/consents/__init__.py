"""Consents, and the derogations of GDPR Art. 49: what the returnee agreed to, and on what a transfer may rest.

They are two records and never stand in for one another.
"""
