"""Measures the figures of docs/design.md, each as a ratio or a bound within one run on one machine."""
