"""Eligibility: which criteria are valid from when, and who meets them, with reasons (OF step 3).

It owns the fact catalogue, criteria sets, matches, recorded decisions and unmet need. It never holds identity, never
keeps a fact about a person unless a match names a case, and never takes a decision: a verdict proposes, a person
decides.
"""
