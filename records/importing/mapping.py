"""Which column of a file is meant for which field of a collection that exists."""

import re
import unicodedata
from collections.abc import Sequence

from records.values import FieldSpec, FieldType

_SYNONYMS = (
    {"email", "mail", "emailaddress", "mailaddress"},
    {"phone", "telephone", "tel", "mobile", "phonenumber", "telephonenumber"},
    {"firstname", "givenname", "forename"},
    {"lastname", "surname", "familyname"},
    {"name", "fullname", "title"},
    {"birthdate", "birthday", "dateofbirth", "dob"},
    {"postcode", "zip", "zipcode", "postalcode"},
    {"city", "town"},
    {"country", "nation"},
    {"organisation", "organization", "company", "org"},
    {"description", "desc", "details", "notes", "note", "comment", "comments", "remarks"},
    {"website", "url", "web", "link", "homepage", "webaddress"},
    {"quantity", "qty", "count", "number"},
    {"price", "cost", "amount"},
    {"latitude", "lat"},
    {"longitude", "lon", "lng", "long"},
    {"created", "createdat", "createdon", "creationdate"},
    {"capacity", "seats", "places"},
)


def bare(name: str) -> str:
    """Return a name without case, accents, spaces and marks."""
    folded = unicodedata.normalize("NFKD", name).casefold()
    return re.sub(r"[\W_]+", "", "".join(mark for mark in folded if not unicodedata.combining(mark)))


def _meaning(name: str) -> str:
    plain = bare(name)
    for group in _SYNONYMS:
        if plain in group or plain.removesuffix("s") in group:
            return f"~{min(group)}"
    return plain.removesuffix("s")


def guess_mapping(headers: Sequence[str], fields: Sequence[FieldSpec]) -> dict[str, FieldSpec]:
    """Return the field for each header that seems to mean one, each field once.

    Equal spelling goes before equal meaning. A field that holds files is never the target.
    """
    open_fields = [spec for spec in fields if spec.type is not FieldType.FILE]
    guessed: dict[str, FieldSpec] = {}
    for alike in (bare, _meaning):
        for header in headers:
            if header in guessed or not bare(header):
                continue
            for spec in open_fields:
                if alike(header) in (alike(spec.key), alike(spec.name)):
                    guessed[header] = spec
                    open_fields.remove(spec)
                    break
    return {header: guessed[header] for header in headers if header in guessed}
