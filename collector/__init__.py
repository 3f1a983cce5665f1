"""Polls Databricks and writes what it saw to the store. Knows nothing of Prometheus."""
