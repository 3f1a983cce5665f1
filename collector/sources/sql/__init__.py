"""The queries on the system tables, one file each, as an administrator could run them."""
