"""The HTTP API of ClinicalTrials.gov v2, over any registry that can list and give its studies."""
