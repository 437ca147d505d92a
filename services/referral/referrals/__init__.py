"""The referral: an order on its way from the case owner to a provider and back, and each organisation's part."""
