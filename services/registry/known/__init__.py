"""What the registry has heard from eligibility: needs that nothing met, by their coarse attributes alone."""
