"""Repairs of what a submission finds otherwise than where it was written; each can be off."""
