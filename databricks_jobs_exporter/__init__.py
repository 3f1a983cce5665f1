"""The command line that puts collector and exporter together; the only place that knows both."""
