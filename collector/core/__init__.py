"""What a poll means: pure functions over frozen values. No clock, no network, no database, no logging."""
