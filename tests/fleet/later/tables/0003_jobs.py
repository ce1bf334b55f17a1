"""And another one, which somebody else may be using."""

from django.db import migrations

from tenants.changing import Kind, declared


class Migration(migrations.Migration):
    dependencies = [("gear", "0002_louder")]
    operations = [
        declared(
            migrations.RunSQL("ALTER TABLE jobs_job ALTER COLUMN note SET DEFAULT 'none'"),
            Kind.EXPAND,
            because="It is a test.",
        )
    ]
