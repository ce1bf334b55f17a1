"""A table of its own, after the Python."""

from django.db import migrations, models

import tenants.models.base


class Migration(migrations.Migration):
    dependencies = [("gear", "0003_fill")]
    operations = [
        migrations.CreateModel(
            "Cable",
            [
                (
                    "id",
                    models.UUIDField(
                        db_default=tenants.models.base.UUIDv7(),
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("length", models.IntegerField()),
                ("speaker", models.ForeignKey("gear.speaker", models.CASCADE)),
            ],
        )
    ]
