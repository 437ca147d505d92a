"""Areas: countries by ISO 3166-1, and below them the administrative areas by their P-codes."""
