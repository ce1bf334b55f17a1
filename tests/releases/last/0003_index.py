"""What the release after the later one adds."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("gear", "0002_colour")]
    operations = [migrations.AddIndex("speaker", models.Index(fields=["watts"], name="speaker_by_watts"))]
