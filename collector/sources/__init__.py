"""Talks to Databricks and parses its answers at the border. Decides nothing and stores nothing."""
