"""Tables from strangers: opened safely, proposed as a design, mapped, checked and converted. No database."""

from records.importing.columns import EMPTY_MARKERS, LinkResolver
from records.importing.convert import Checked, OnMissingLink, Refused, Taken, check
from records.importing.frames import Table
from records.importing.limits import Limits
from records.importing.mapping import guess_mapping
from records.importing.names import collection_name, human_name, key_for
from records.importing.propose import (
    ExistingCollection,
    Proposal,
    ProposedField,
    ProposedLink,
    link_of,
    propose,
)
from records.importing.refusals import Unreadable
from records.importing.results import ResultWriter, content_digest, neutral
from records.importing.source import Source, open_source

__all__ = [
    "EMPTY_MARKERS",
    "Checked",
    "ExistingCollection",
    "Limits",
    "LinkResolver",
    "OnMissingLink",
    "Proposal",
    "ProposedField",
    "ProposedLink",
    "Refused",
    "ResultWriter",
    "Source",
    "Table",
    "Taken",
    "Unreadable",
    "check",
    "collection_name",
    "content_digest",
    "guess_mapping",
    "human_name",
    "key_for",
    "link_of",
    "neutral",
    "open_source",
    "propose",
]
