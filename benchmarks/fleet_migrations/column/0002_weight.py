from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("gear", "0001_initial")]
    operations = [migrations.AddField("speaker", "weight", models.IntegerField(null=True))]
