"""The tables of the trail, as SQL: their form is evidence and is not left to a schema editor."""

from django.db import migrations, models

import audit.models.event
import audit.models.fields

TABLES = """
CREATE TABLE audit_event (
    epoch integer NOT NULL,
    txid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    eid bigint NOT NULL GENERATED ALWAYS AS IDENTITY (CACHE 50),
    at_us bigint NOT NULL,
    code text NOT NULL,
    type_id integer NOT NULL,
    object_id uuid,
    actor_id uuid,
    payload text NOT NULL,
    private_ref uuid,
    private_commitment bytea,
    PRIMARY KEY (epoch, txid, eid),
    CONSTRAINT audit_event_private_whole CHECK ((private_ref IS NULL) = (private_commitment IS NULL))
);
CREATE INDEX audit_event_time ON audit_event (at_us, txid);
CREATE INDEX audit_event_object ON audit_event (object_id, at_us, txid);
CREATE INDEX audit_event_actor ON audit_event (actor_id, at_us, txid);
CREATE INDEX audit_event_code ON audit_event (code, at_us, txid);
CREATE INDEX audit_event_type ON audit_event (type_id, at_us, txid);

CREATE TABLE audit_private (
    ref uuid PRIMARY KEY,
    subject uuid,
    salt bytea NOT NULL,
    value text NOT NULL
);
CREATE INDEX audit_private_subject ON audit_private (subject);

CREATE TABLE audit_epoch (
    epoch integer PRIMARY KEY,
    opened_us bigint NOT NULL,
    reason text NOT NULL
);
INSERT INTO audit_epoch (epoch, opened_us, reason) VALUES (1, 0, 'beginning');

CREATE TABLE audit_segment (
    segment_no bigint PRIMARY KEY,
    log_id uuid NOT NULL,
    first_epoch integer NOT NULL,
    first_txid xid8 NOT NULL,
    first_eid bigint NOT NULL,
    last_epoch integer NOT NULL,
    last_txid xid8 NOT NULL,
    last_eid bigint NOT NULL,
    count bigint NOT NULL,
    root bytea NOT NULL,
    trigger_digest bytea NOT NULL,
    clock_us bigint NOT NULL,
    prev_header_hash bytea NOT NULL,
    header_hash bytea NOT NULL
);
"""
TABLES_BACK = "DROP TABLE audit_segment, audit_epoch, audit_private, audit_event;"


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(TABLES, TABLES_BACK)],
            state_operations=[
                migrations.CreateModel(
                    name="Epoch",
                    fields=[
                        ("epoch", models.IntegerField(primary_key=True, serialize=False)),
                        ("opened_us", models.BigIntegerField()),
                        ("reason", models.TextField()),
                    ],
                    options={
                        "db_table": "audit_epoch",
                    },
                ),
                migrations.CreateModel(
                    name="Segment",
                    fields=[
                        ("segment_no", models.BigIntegerField(primary_key=True, serialize=False)),
                        ("log_id", models.UUIDField()),
                        ("first_epoch", models.IntegerField()),
                        ("first_txid", audit.models.fields.Xid8Field()),
                        ("first_eid", models.BigIntegerField()),
                        ("last_epoch", models.IntegerField()),
                        ("last_txid", audit.models.fields.Xid8Field()),
                        ("last_eid", models.BigIntegerField()),
                        ("count", models.BigIntegerField()),
                        ("root", models.BinaryField()),
                        ("trigger_digest", models.BinaryField()),
                        ("clock_us", models.BigIntegerField()),
                        ("prev_header_hash", models.BinaryField()),
                        ("header_hash", models.BinaryField()),
                    ],
                    options={
                        "db_table": "audit_segment",
                    },
                ),
                migrations.CreateModel(
                    name="Event",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "epoch",
                                "txid",
                                "eid",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("epoch", models.IntegerField()),
                        (
                            "txid",
                            audit.models.fields.Xid8Field(db_default=audit.models.event.CurrentTransaction()),
                        ),
                        ("eid", models.BigIntegerField()),
                        ("at_us", models.BigIntegerField()),
                        ("code", models.TextField()),
                        ("type_id", models.IntegerField()),
                        ("object_id", models.UUIDField(null=True)),
                        ("actor_id", models.UUIDField(null=True)),
                        ("payload", models.TextField()),
                        ("private_ref", models.UUIDField(null=True)),
                        ("private_commitment", models.BinaryField(null=True)),
                    ],
                    options={
                        "db_table": "audit_event",
                        "indexes": [
                            models.Index(fields=["at_us", "txid"], name="audit_event_time"),
                            models.Index(fields=["object_id", "at_us", "txid"], name="audit_event_object"),
                            models.Index(fields=["actor_id", "at_us", "txid"], name="audit_event_actor"),
                            models.Index(fields=["code", "at_us", "txid"], name="audit_event_code"),
                            models.Index(fields=["type_id", "at_us", "txid"], name="audit_event_type"),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Private",
                    fields=[
                        ("ref", models.UUIDField(primary_key=True, serialize=False)),
                        ("subject", models.UUIDField(null=True)),
                        ("salt", models.BinaryField()),
                        ("value", models.TextField()),
                    ],
                    options={
                        "db_table": "audit_private",
                        "indexes": [models.Index(fields=["subject"], name="audit_private_subject")],
                    },
                ),
            ],
        ),
    ]
