"""Serves what the store holds: `/metrics` and the pages beside it. Never talks to Databricks."""
