"""Whether a migration can be applied while the release before it serves: see ADR 0026."""
