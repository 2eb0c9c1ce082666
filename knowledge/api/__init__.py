"""`/api/v1/articles/` and what belongs to articles."""
