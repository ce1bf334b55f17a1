"""Moving one organisation from shard to shard while it works; see docs/adr/0024."""
