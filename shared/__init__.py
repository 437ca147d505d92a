"""The product's own library: plumbing and contracts that every service stands on, and not one business rule."""
