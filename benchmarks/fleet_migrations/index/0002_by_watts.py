from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("gear", "0001_initial")]
    operations = [migrations.AddIndex("speaker", models.Index(fields=["watts"], name="speaker_by_watts"))]
