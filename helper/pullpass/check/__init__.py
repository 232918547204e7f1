"""Walks the chain link by link and says at each what was seen and what to do about it."""
