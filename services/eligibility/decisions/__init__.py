"""Recorded judgements: a person decides, with reasons, beside the automatic verdict; and may be appealed against."""
