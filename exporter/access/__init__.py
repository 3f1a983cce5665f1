"""Who may connect and ask, and how much of the server one client can take. Knows nothing of what is served."""
