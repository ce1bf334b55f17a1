"""Forms of the room's pages. The rules stand in the actions."""
