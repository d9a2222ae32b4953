"""Webhook-driven collection: a receiver, a durable inbox, workers that record what was submitted, and a sweep."""
