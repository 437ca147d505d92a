"""What monitoring has heard of facts that other services own: organisations, services, cases by coarse attributes."""
