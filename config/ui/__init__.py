"""The look: colour arithmetic, template tags and the gallery. Knows no tenant, no model and no request data."""
