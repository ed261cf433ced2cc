"""Self-check: the visible checks, for students at home and for CI."""
