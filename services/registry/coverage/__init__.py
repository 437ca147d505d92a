"""The coverage and gap map: what there is in each area, for whom not, and what people looked for in vain."""
