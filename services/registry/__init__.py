"""The registry: who does what, where, under which written agreement.

It owns organisations, programmes, services and the number of places they set aside for referrals, agreements,
mechanisms and areas. It holds nothing about a returnee, judges nobody's eligibility, and tells the other services what
is published by events that carry the published state whole, contacts excluded.
"""
