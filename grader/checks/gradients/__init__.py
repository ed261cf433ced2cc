"""Gradient checks: numeric derivatives with their error, and what is decided from them."""
