"""The servers that bin/up brings along: PostgreSQL 18, Redis and a catcher for mail."""
