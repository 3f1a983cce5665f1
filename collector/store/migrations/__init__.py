"""Alembic's steps from each released schema to the next. Run from `collector.store.migrate`, never by hand."""
