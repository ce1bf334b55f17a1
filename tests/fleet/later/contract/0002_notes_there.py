"""What may only be applied where a backfill is done."""

from django.db import migrations

from tenants.changing import Contracts, Kind, declared


class Migration(migrations.Migration):
    dependencies = [("gear", "0001_initial")]
    contracts = Contracts(expand="gear.0001_initial", backfill="gear.notes")
    operations = [
        declared(
            migrations.RunSQL("ALTER TABLE gear_speaker ADD CONSTRAINT noted CHECK (notes <> '')"),
            Kind.CONTRACT,
            because="Every loudspeaker has notes once the backfill is done.",
        )
    ]
