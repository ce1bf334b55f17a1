"""The permission that this room adds to the vocabulary."""

from permissions import perms

RECORDS_SENSITIVE = perms.declare(
    "records.sensitive",
    label="See sensitive fields",
    help="Read and change what the design of a collection marks as sensitive.",
    scope="object",
    doing="seeing sensitive fields",
    implies=(perms.RECORDS_VIEW,),
    roles=(perms.ADMIN,),
)

# What may be granted on a collection: on its design, and on all of its records.
ON_COLLECTION = (
    perms.COLLECTIONS_VIEW,
    perms.COLLECTIONS_DESIGN,
    perms.RECORDS_VIEW,
    perms.RECORDS_CHANGE,
    perms.RECORDS_DELETE,
    perms.RECORDS_SHARE,
    perms.RECORDS_IMPORT,
    RECORDS_SENSITIVE,
)
# What may be granted on one record.
ON_RECORD = (
    perms.RECORDS_VIEW,
    perms.RECORDS_CHANGE,
    perms.RECORDS_DELETE,
    perms.RECORDS_SHARE,
    RECORDS_SENSITIVE,
)
# What roles decide about all rows of a room.
ON_ROOM = (*ON_RECORD, perms.RECORDS_IMPORT)
