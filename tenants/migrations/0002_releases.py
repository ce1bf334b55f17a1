"""Releases, and the one that every installation begins with."""

from typing import Any

import django.core.validators
from django.db import migrations, models

from tenants.changing import Kind, declared


def begin(apps: Any, schema_editor: Any) -> None:
    """Make a row for every release that organisations are on."""
    alias = schema_editor.connection.alias
    organisations = apps.get_model("tenants", "Organisation").objects.using(alias)
    names = {"current", *organisations.order_by().values_list("release", flat=True).distinct()}
    releases = apps.get_model("tenants", "Release").objects.using(alias)
    for name in sorted(names):
        releases.get_or_create(name=name)


class Migration(migrations.Migration):
    dependencies = [("tenants", "0002_reserved_shards")]

    operations = [
        migrations.CreateModel(
            name="Release",
            fields=[
                (
                    "name",
                    models.CharField(
                        help_text="What its processes have as ENCLAVE_RELEASE.",
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z0-9](?:[a-z0-9.-]{0,38}[a-z0-9])?$",
                                "Use lower-case letters, digits, dots and hyphens, up to 40.",
                            )
                        ],
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("withdrawn", "Withdrawn")], default="open", max_length=12
                    ),
                ),
                (
                    "pool",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Where its web processes answer, as the edge reaches them: host:port. Empty while only one "
                        "release runs.",
                        max_length=200,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Za-z0-9.-]+:[0-9]{1,5}$", "Use host:port."
                            )
                        ],
                    ),
                ),
            ],
            options={"ordering": ("name",)},
        ),
        migrations.AddConstraint(
            model_name="release",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["open", "withdrawn"])), name="release_state_is_known"
            ),
        ),
        declared(
            migrations.RunPython(begin, migrations.RunPython.noop),
            Kind.EXPAND,
            because="It adds the row of the release that everybody is on; the code before knows no releases.",
        ),
    ]
