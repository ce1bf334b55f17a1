"""A column, an index and an old length: what most releases bring."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("gear", "0001_initial")]
    operations = [
        migrations.AddField("speaker", "colour", models.CharField(max_length=20, db_default="black")),
        migrations.AddIndex("speaker", models.Index(fields=["watts"], name="speaker_by_watts")),
        migrations.AlterField("speaker", "name", models.CharField(max_length=150)),
    ]
