"""What the referral service has heard from the registry and from eligibility: the only home of foreign facts in it."""
