"""Holds the local AWS to the requests and answers that AWS publishes with its command line."""
