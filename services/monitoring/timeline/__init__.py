"""The journey of every referral as monitoring has heard it, visible to those who take part in it."""
