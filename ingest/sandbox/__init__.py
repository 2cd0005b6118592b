"""Synthetic clinical trial registries behind the HTTP API of ClinicalTrials.gov v2.

The offline default source, a fault injector and a scale test: every study is computed from (seed, index, night), so
a registry of any size costs a few bytes a study. Real records can be replayed behind the same API.
"""
