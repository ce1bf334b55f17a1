"""Lets an organisation live: session, invitation, a new password asked for, a file, jobs; prints what of it.

Nobody does its jobs meanwhile, so mails and jobs wait, and what is in the mails can be read.
"""

import json
import re
import sys

import django

django.setup()

from django.utils import timezone  # noqa: E402  # a process of its own, which sets Django up first

from accounts.identity.models import User  # noqa: E402
from jobs.actions import enqueue  # noqa: E402
from jobs.actions.running import Surroundings  # noqa: E402
from jobs.actions.working import work  # noqa: E402
from jobs.models import OutgoingMail  # noqa: E402
from jobs.placing import resolve  # noqa: E402
from permissions.models import Role  # noqa: E402
from records.actions import collections, files  # noqa: E402
from records.models import Record  # noqa: E402
from records.values import FieldSpec, FieldType  # noqa: E402
from tenants.context import enter  # noqa: E402
from tenants.models import Organisation  # noqa: E402
from tests.jobs import kinds  # noqa: E402
from tests.people import SETTING_UP, make_person, signed_in, visitor  # noqa: E402

PASSWORD = "a long enough password"


def main() -> None:
    """Do it, as people do. The second word says how many items the long job has."""
    kinds.register()
    organisation = Organisation.objects.get(slug=sys.argv[1])
    owner = signed_in(organisation, f"o@{sys.argv[1]}.example")
    make_person(organisation, "mo@harbour.example", "Mo", password=PASSWORD)
    reset = {"email": "mo@harbour.example"}
    assert visitor(organisation.primary_host).post("/accounts/password/reset/", reset).status_code == 302
    invitation = {"emails": "fay@x.example", "role": _member(organisation)}
    assert owner.post("/people/invite/", invitation).status_code == 302
    with enter(organisation, actor=SETTING_UP):
        enqueue("tests.items", payload={"items": int(sys.argv[2]), "pause": 0.05}, label="Long", by=None)
        enqueue("tests.items", payload={"items": 2, "pause": 0.05}, label="Short", by=None)
    found = {
        "host": organisation.primary_host,
        "cookie": owner.cookies["sid"].value,
        "file": _file(organisation),
        **_links(organisation),
    }
    print(json.dumps(found))  # noqa: T201  # read by the tests


def _member(organisation: Organisation) -> str:
    with enter(organisation, actor=SETTING_UP):
        return str(Role.objects.get(code="member").pk)


def _file(organisation: Organisation) -> str:
    """Attach a file to a record, and return the path that leads to its content."""
    with enter(organisation, actor=SETTING_UP):
        by, now = User.objects.get(email=f"o@{organisation.slug}.example"), timezone.now()
        fields = [FieldSpec("name", "Name", FieldType.TEXT)]
        collection = collections.create(name="Gigs", fields=fields, by=by, at=now)
        record = Record.objects.create(collection=collection, values={"name": "Bass"})
        record.refresh_from_db()
        file = files.attach(record=record, name="a.txt", chunks=[b"the content"], by=by, at=now)
        file.refresh_from_db()
        return f"/c/{collection.key}/r/{record.pk}/files/{file.pk}/"


def _links(organisation: Organisation) -> dict[str, str]:
    """Write the mails that only a job writes, and return the paths of the links in them."""
    around = Surroundings(resolve=resolve, beats=False)
    # To choose a password: for who is to be the owner, and for Mo.
    for _ in range(2):
        assert work(organisation.placement(), queue="mail", around=around).job_id is not None
    with enter(organisation, actor=SETTING_UP):
        mails = OutgoingMail.objects.filter(state="waiting")
        texts = {to.partition("@")[0]: text for to, text in mails.values_list("to", "text")}
    paths = {to: re.search(r"http://[^/]+(/\S+)", text) for to, text in texts.items()}
    return {to: path[1] for to, path in paths.items() if path is not None}


if __name__ == "__main__":
    main()
