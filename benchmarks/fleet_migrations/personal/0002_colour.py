from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("gear", "0001_initial")]
    operations = [migrations.AddField("speaker", "colour", models.CharField(max_length=20, null=True))]
