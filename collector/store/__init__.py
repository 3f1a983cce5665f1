"""Keeps what was seen, in SQLite or PostgreSQL. Decides nothing and asks Databricks nothing."""
