"""The look: colour arithmetic, template tags and the gallery. Knows no tenant and no model."""
