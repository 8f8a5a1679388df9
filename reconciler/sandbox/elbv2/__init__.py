"""Elastic Load Balancing (v2): all of what the program calls, since moto has neither its states nor its idempotency."""
