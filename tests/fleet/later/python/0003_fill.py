"""Python between two tables: what cannot be replayed as text."""

from typing import Any

from django.db import migrations


def fill(apps: Any, schema_editor: Any) -> None:
    """Give every speaker a colour by its name."""
    speakers = apps.get_model("gear", "Speaker").objects.using(schema_editor.connection.alias)
    for speaker in speakers.all():
        speaker.colour = f"the colour of {speaker.name}"[:20]
        speaker.save(update_fields=["colour"])


class Migration(migrations.Migration):
    dependencies = [("gear", "0002_colour")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
