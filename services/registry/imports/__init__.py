"""Imports: what spreadsheets say exists, taken over as leads with a list of everything that could not be used."""
