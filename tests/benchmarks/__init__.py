"""Measurements, run by name: `python -m tests.benchmarks.load_studies`. None is a test."""
