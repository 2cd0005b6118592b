"""Which of the registry's fields reach which staged column: what is known of fields, and how that is found out."""
