"""What the later release adds: two columns that the release before can do without."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("gear", "0001_initial")]
    operations = [
        migrations.AddField("speaker", "colour", models.CharField(max_length=20, db_default="black")),
        migrations.AddField("speaker", "lent_on", models.DateField(null=True, blank=True)),
    ]
