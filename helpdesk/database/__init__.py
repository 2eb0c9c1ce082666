"""Django's PostgreSQL, for `DATABASES`: what it asks before each request costs no question."""
