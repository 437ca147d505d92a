"""The referral service: cases, consents, and the journey of every referral from a member state to a provider and back.

It owns identity and is its only home: names, birth dates, contacts, documents, references and free text stand here
alone, each sealed under the key of its case. It never calls another service; what it needs of their facts it has heard
(`known/`). It never says identity in an event, a log, a problem or an address, and it never judges who is eligible:
it trusts the recorded decision.
"""
