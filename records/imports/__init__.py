"""Files on their way into collections: proposed, mapped, checked, loaded, undone (see records.importing)."""
