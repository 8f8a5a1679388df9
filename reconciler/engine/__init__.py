"""The decisions: pure functions from what is wanted and what was seen to a plan.  `loop` calls them; no clock here."""
