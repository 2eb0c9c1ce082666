"""PostgreSQL and Valkey from wheels for one machine and for the tests; production gives DATABASE_URL and REDIS_URL."""
