"""Pages of collections, records and their files."""
