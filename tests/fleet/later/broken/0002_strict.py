"""What only a schema without such rows can take: the fault lies with the migration."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("gear", "0001_initial")]
    operations = [
        migrations.RunSQL("ALTER TABLE gear_speaker ADD CONSTRAINT loud CHECK (watts > 1000)"),
    ]
