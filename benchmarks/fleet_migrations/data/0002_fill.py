from typing import Any

from django.db import migrations


def fill(apps: Any, schema_editor: Any) -> None:
    speaker = apps.get_model("gear", "Speaker")
    alias = schema_editor.connection.alias
    for row in speaker.objects.using(alias).filter(watts=None):
        row.watts = 100
        row.save(update_fields=["watts"])


class Migration(migrations.Migration):
    dependencies = [("gear", "0001_initial")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
