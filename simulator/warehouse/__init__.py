"""The SQL warehouse of the simulated workspace: system tables in an embedded engine, served over Thrift.

Nothing is imported here, so that a workspace whose warehouse nobody asks needs neither the engine nor Thrift.
"""
