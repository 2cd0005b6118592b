"""The Dagster layer of bioloupe-data, its command line and its embedded servers."""

import gc

# Dagster, dbt and dlt make some 500,000 objects while they are imported, all of which stay. Python's default looks
# through them again and again, which is a fifth of the time that the definitions take to load.
gc.set_threshold(50_000, 20, 50)
