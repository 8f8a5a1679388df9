"""Answers for people and for programs: plans, kinds, outputs as text and as data.  Called by `cli`; pure."""
