"""Rows of the control plane that are written a few columns at a time, by whoever is at them."""

from tenants.models import ControlRow


class NotedRow(ControlRow):
    """A row that `note` writes to: what other processes have written meanwhile stays."""

    class Meta:
        abstract = True

    def note(self, **columns: object) -> None:
        """Write these columns and no others."""
        for name, value in columns.items():
            setattr(self, name, value)
        type(self)._default_manager.filter(pk=self.pk).update(**columns)
