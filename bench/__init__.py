"""What `make bench` runs: each figure that the project promises, measured on this machine."""
