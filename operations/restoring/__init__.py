"""Back-ups: copies of servers, bundles of organisations, and how one is brought back."""
