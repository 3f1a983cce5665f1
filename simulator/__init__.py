"""A Databricks workspace on localhost, as strict as the real one: for the demo, the tests and the benchmarks.

It is independent of what it tests: it knows the reference, and imports neither collector nor exporter.
"""

from simulator.client import Control, ControlError
from simulator.options import Options
from simulator.server import Simulator

__all__ = ["Control", "ControlError", "Options", "Simulator"]
