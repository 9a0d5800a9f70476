"""A running batch: which target is built when, and what came of it."""
