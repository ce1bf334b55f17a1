"""Who may open which address of an organisation's site. A URL missing here fails the suite.

HOW TO ADD A ROW. The key is the full URL name, the value `Row(lowest, …)`:

    "permissions:people": Row(MEMBER),
    "permissions:person": Row(MEMBER, {"pk": "person"}),
    "records:record": Row(MEMBER, {"pk": "record"}, sees=MEMBER),
    "records:record_delete": Row(ADMIN, {"pk": "record"}, sees=MEMBER),

`lowest` is the lowest of ANYONE, GUEST, MEMBER, ADMIN, OWNER who gets an answer. Everybody below gets
403; but those below `sees` get 404, because what they may not see does not exist for them. Signed
out (and with another organisation's cookie) one is sent to sign-in, except for ANYONE. Both GET and
POST (empty) are tried as everybody; 405 is an answer too, but not to both. `or_404` is for addresses
that answer 404 also to those who may, while there is nothing of theirs.

The second argument names what stands in the address: a word is looked up in THINGS, anything else is
taken as it is. Things are made inside Pulse, once for each test; add yours with

    @thing("record")
    def record() -> UUID: ...

A person of another organisation tries every address with these same keys at their own host, and must
get 404; `elsewhere` says otherwise where keys mean something in every organisation.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.actions.invitations import invite
from accounts.identity.models import User
from jobs.actions import enqueue
from jobs.models import Job, JobState
from operations.leaving.shelf import path_of
from operations.models import Export, ExportStep, JoiningStep, Split
from permissions.actions.groups import add_to_group, create_group
from permissions.actions.roles import create_role
from permissions.models import Role
from permissions.models.roles import MEMBER_RANK
from permissions.policies import policy_for
from records import rooms
from records.models import Collection, Import, ImportState, Record, RecordFile, SavedView
from records.rooms.examples import make
from tenants.context import current_tenant


class Lowest(IntEnum):
    """The ladder of those who try."""

    ANYONE = 0
    GUEST = 1
    MEMBER = 2
    ADMIN = 3
    OWNER = 4


ANYONE, GUEST, MEMBER, ADMIN, OWNER = Lowest


@dataclass(frozen=True, slots=True)
class Row:
    """What is expected of one URL."""

    lowest: Lowest
    args: Mapping[str, Any] = field(default_factory=dict)
    sees: Lowest = Lowest.ANYONE
    or_404: bool = False
    elsewhere: int | None = 404


THINGS: dict[str, Callable[[], Any]] = {}


def thing(name: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Say how a thing named in the table is made; called inside Pulse."""

    def keep(make: Callable[[], Any]) -> Callable[[], Any]:
        THINGS[name] = make
        return make

    return keep


def ada() -> User:
    """Return the owner of Pulse, who makes the things."""
    return User.objects.get(email="ada@pulse.example")


@thing("person")
def person() -> UUID:
    """Ben."""
    return User.objects.get(email="ben@pulse.example").pk


@thing("export")
def export() -> UUID:
    """An export with its file."""
    at = timezone.now()
    made = Export.objects.create(
        organisation_id=current_tenant().id,
        asked_by="ada@pulse.example",
        asked_at=at,
        step=ExportStep.DONE,
        size_bytes=4,
    )
    path_of(made).parent.mkdir(parents=True, exist_ok=True)
    path_of(made).write_bytes(b"sent")
    return made.pk


@thing("division")
def division() -> UUID:
    """A choice of what goes that was looked at, and stands in nobody's way."""
    made = Collection.objects.create(name="What goes", key="what-goes")
    ben = str(person())
    picks = {"owner": ben, "collections": [str(made.pk)], "goes": [ben], "both": []}
    payload = {
        "name": "Pulse North",
        "slug": "pulse-north",
        "reason": "They go their own way",
        "picks": picks,
        "effective_at": timezone.now().isoformat(),
        "dated": False,
    }
    job = enqueue("operations.division", payload=payload, label="Check", by=ada())
    result = {"found": [], "more": 0, "rows": {}}
    Job.objects.filter(pk=job.pk).update(
        state=JobState.SUCCEEDED, result=result, begun_at=timezone.now(), ended_at=timezone.now()
    )
    return job.pk


@thing("split")
def split() -> UUID:
    """A split that waits for an operator."""
    return Split.objects.create(
        source_id=current_tenant().id,
        name="Pulse South",
        slug="pulse-south",
        step=JoiningStep.FOUND,
        reason="They go their own way",
        asked_by="ada@pulse.example",
        asked_at=timezone.now(),
        effective_at=timezone.now(),
        staged="t_00000000000000000021",
        shard="shard_1",
    ).pk


@thing("group")
def group() -> UUID:
    """A group with Ben in it."""
    at = timezone.now()
    made = create_group(name="Door staff", by=ada(), at=at)
    add_to_group(group=made, user=User.objects.get(email="ben@pulse.example"), by=ada(), at=at)
    return made.pk


@thing("own role")
def own_role() -> UUID:
    """A role of Pulse's own that nobody has."""
    return create_role(name="Door", names=["records.view"], rank=MEMBER_RANK, by=ada(), at=timezone.now()).pk


@thing("collection")
def collection() -> UUID:
    """A collection that is shared with nobody."""
    return Collection.objects.create(name="Secret", key="secret").pk


@thing("designed")
def designed() -> str:
    """A collection with a field, and another that was removed."""
    made = Collection.objects.create(name="Designed", key="designed")
    made.fields.create(key="f_name", name="Name", type="text")
    made.fields.create(key="f_gone", name="Gone", type="text", deleted_at=timezone.now())
    return made.key


@thing("binned")
def binned() -> UUID:
    """A collection in the bin."""
    return Collection.objects.create(name="Binned", key="binned", deleted_at=timezone.now()).pk


@thing("invitation")
def invitation() -> UUID:
    """An invitation that nobody has answered yet."""
    asked = invite(
        emails=["new@pulse.example"], role=Role.objects.get(code="member"), by=ada(), at=timezone.now()
    )
    return asked[0].pk


@thing("job")
def job() -> UUID:
    """A job of Ada's that waits."""
    return enqueue("mail.send", payload={}, label="Mail", by=ada()).pk


@thing("gigs")
def gigs() -> str:
    """A collection with a link to itself."""
    made = Collection.objects.create(name="Gigs", key="gigs", title_key="f_name")
    made.fields.create(key="f_name", name="Name", type="text")
    made.fields.create(key="f_next", name="Next", type="record", options={"collection": str(made.pk)})
    return made.key


@thing("gig")
def gig() -> UUID:
    """A gig; the collection is made before it."""
    return Record.objects.create(
        collection=Collection.objects.get(key="gigs"), values={"f_name": "Warehouse"}
    ).pk


@thing("gig alone")
def gig_alone() -> UUID:
    """A gig, and its collection."""
    gigs()
    return UUID(str(gig()))


@thing("file")
def file() -> UUID:
    """A file of the gig."""
    row = Record.objects.get(collection__key="gigs")
    return RecordFile.objects.create(
        record=row, name="plan.pdf", content_type="application/pdf", size=1, sha256="", path="aa/plan"
    ).pk


@thing("view")
def view() -> UUID:
    """A view of the gigs that Ada shares."""
    home = Collection.objects.get(key="gigs")
    return SavedView.objects.create(collection=home, name="Loud", owner=ada(), is_shared=True).pk


@thing("loudspeaker")
def loudspeaker() -> UUID:
    """A row of the room that the tests register."""
    return UUID(str(make(rooms.get("speaker"), marker="Loud").pk))


@thing("room view")
def room_view() -> UUID:
    """A view of that room."""
    return SavedView.objects.create(room="speaker", name="Loud", owner=ada()).pk


@thing("import")
def imported() -> UUID:
    """A file that was imported into the collection that members see."""
    gigs()
    home = Collection.objects.get(key="gigs")
    return Import.objects.create(collection=home, filename="gigs.csv", size=1, state=ImportState.DONE).pk


NOBODY = "00000000-0000-7000-8000-0000000000ff"
_COLLECTION = {"kind": policy_for(Collection).type_id, "key": "collection"}
_DESIGNED = {"key": "designed"}
_FIELD = {"key": "designed", "field": "f_name"}

_GIGS = {"key": "gigs"}
_GIG = {"key": "gigs", "pk": "gig"}
_ROOM = {"key": "speaker"}
_SPEAKER = {"key": "speaker", "pk": "loudspeaker"}

TABLE: dict[str, Row] = {
    # accounts: sign-in, by allauth
    "account_login": Row(ANYONE),
    "account_logout": Row(ANYONE),
    "account_inactive": Row(ANYONE),
    "account_reauthenticate": Row(GUEST),
    "account_email": Row(GUEST),
    "account_email_verification_sent": Row(ANYONE),
    "account_confirm_email": Row(ANYONE, {"key": "nothing"}),
    "account_change_password": Row(GUEST),
    "account_set_password": Row(GUEST),
    "account_reset_password": Row(ANYONE),
    "account_reset_password_done": Row(ANYONE),
    "account_reset_password_from_key": Row(ANYONE, {"uidb36": "0", "key": "nothing"}),
    "account_reset_password_from_key_done": Row(ANYONE),
    "mfa_index": Row(GUEST),
    "mfa_authenticate": Row(ANYONE),
    "mfa_reauthenticate": Row(GUEST, or_404=True),
    "mfa_activate_totp": Row(GUEST),
    "mfa_deactivate_totp": Row(GUEST, or_404=True),
    "mfa_view_recovery_codes": Row(GUEST, or_404=True),
    "mfa_generate_recovery_codes": Row(GUEST),
    "mfa_download_recovery_codes": Row(GUEST, or_404=True),
    "mfa_list_webauthn": Row(GUEST),
    "mfa_add_webauthn": Row(GUEST),
    "mfa_reauthenticate_webauthn": Row(GUEST, or_404=True),
    "mfa_remove_webauthn": Row(GUEST, {"pk": 999_999_999}, or_404=True),
    "mfa_edit_webauthn": Row(GUEST, {"pk": 999_999_999}, or_404=True),
    "mfa_login_webauthn": Row(ANYONE),
    # accounts
    "accounts:account": Row(GUEST),
    "accounts:sessions-end-others": Row(GUEST),
    "accounts:session-end": Row(GUEST, {"pk": NOBODY}, or_404=True),
    "accounts:organisations": Row(GUEST),
    "accounts:invitations": Row(ADMIN),
    "accounts:invite": Row(ADMIN),
    "accounts:invitation-resend": Row(ADMIN, {"pk": "invitation"}),
    "accounts:invitation-revoke": Row(ADMIN, {"pk": "invitation"}),
    "accounts:accept": Row(ANYONE, {"token": "nothing"}),
    "accounts:settings": Row(ADMIN),
    "accounts:question": Row(ADMIN, {"key": "tests.nothing"}, or_404=True),
    "accounts:settings-logo": Row(ADMIN),
    "accounts:settings-logo-remove": Row(ADMIN),
    "accounts:brand": Row(ANYONE, {"digest": "nothing"}),
    "accounts:logo": Row(ANYONE, {"digest": "nothing"}),
    # jobs
    "exports:list": Row(OWNER),
    "exports:fetch": Row(OWNER, {"pk": "export"}),
    "divide:list": Row(OWNER),
    "divide:new": Row(OWNER),
    "divide:look": Row(OWNER, {"pk": "division"}),
    "divide:ask": Row(OWNER, {"pk": "division"}),
    "divide:cancel": Row(OWNER, {"pk": "split"}),
    "jobs:list": Row(GUEST),
    "jobs:sidebar": Row(GUEST),
    "jobs:detail": Row(MEMBER, {"pk": "job"}, sees=MEMBER),
    "jobs:cancel": Row(ADMIN, {"pk": "job"}, sees=MEMBER),
    "jobs:retry": Row(ADMIN, {"pk": "job"}, sees=MEMBER),
    # trail
    "trail:list": Row(ADMIN),
    "trail:detail": Row(ADMIN, {"epoch": 1, "txid": 1, "eid": 1}, or_404=True),
    "trail:together": Row(ADMIN, {"place": "1.1.1"}, or_404=True),
    # permissions
    "permissions:people": Row(MEMBER),
    "permissions:person": Row(MEMBER, {"pk": "person"}),
    "permissions:person_role": Row(ADMIN, {"pk": "person"}),
    "permissions:person_deactivate": Row(ADMIN, {"pk": "person"}),
    "permissions:person_reactivate": Row(ADMIN, {"pk": "person"}),
    "permissions:person_end": Row(ADMIN, {"pk": "person"}),
    "permissions:person_group": Row(ADMIN, {"pk": "person"}),
    "permissions:groups": Row(MEMBER),
    "permissions:group_new": Row(ADMIN),
    "permissions:group": Row(MEMBER, {"pk": "group"}),
    "permissions:group_edit": Row(ADMIN, {"pk": "group"}),
    "permissions:group_delete": Row(ADMIN, {"pk": "group"}),
    "permissions:group_add": Row(ADMIN, {"pk": "group"}),
    "permissions:group_end": Row(ADMIN, {"pk": "group", "person": "person"}),
    "permissions:group_leave": Row(GUEST, {"pk": "group"}, or_404=True),
    "permissions:leave": Row(GUEST),
    "permissions:roles": Row(MEMBER),
    "permissions:role_new": Row(ADMIN),
    "permissions:guests": Row(ADMIN),
    "permissions:role_edit": Row(ADMIN, {"pk": "own role"}),
    "permissions:role_delete": Row(ADMIN, {"pk": "own role"}),
    "permissions:sharing": Row(ADMIN),
    "permissions:shared_with_me": Row(GUEST),
    "permissions:access": Row(MEMBER, _COLLECTION, sees=MEMBER),
    "permissions:share": Row(MEMBER, _COLLECTION, sees=MEMBER),
    "permissions:unshare": Row(MEMBER, _COLLECTION, sees=MEMBER, or_404=True),
    # records: making and designing collections
    "records:collection-new": Row(ADMIN),
    "records:collection-bin": Row(ADMIN),
    "records:collection-restore": Row(ADMIN, {"pk": "binned"}, sees=ADMIN),
    "records:collection-design": Row(ADMIN, _DESIGNED, sees=MEMBER),
    "records:collection-order": Row(ADMIN, _DESIGNED, sees=MEMBER),
    "records:collection-shown": Row(ADMIN, _DESIGNED, sees=MEMBER),
    "records:collection-settings": Row(ADMIN, _DESIGNED, sees=MEMBER),
    "records:collection-remove": Row(ADMIN, _DESIGNED, sees=MEMBER),
    "records:field-new": Row(ADMIN, _DESIGNED, sees=MEMBER),
    "records:field-design": Row(ADMIN, _FIELD, sees=MEMBER),
    "records:field-quick": Row(ADMIN, _FIELD, sees=MEMBER),
    "records:field-remove": Row(ADMIN, _FIELD, sees=MEMBER),
    "records:field-restore": Row(ADMIN, {"key": "designed", "field": "f_gone"}, sees=MEMBER),
    # records: home, and what needs no table
    "home": Row(GUEST),
    "records:anywhere": Row(MEMBER, {"pk": "gig alone"}, sees=MEMBER),
    "records:undo": Row(GUEST, {"token": NOBODY}, elsewhere=None),
    # records: their lists and what is done to many
    "records:list": Row(MEMBER, _GIGS, sees=MEMBER),
    "records:filter": Row(MEMBER, _GIGS, sees=MEMBER),
    "records:columns": Row(MEMBER, _GIGS, sees=MEMBER),
    "records:find": Row(MEMBER, {**_GIGS, "field": "f_next"}, sees=MEMBER),
    "records:view-new": Row(MEMBER, _GIGS, sees=MEMBER),
    "records:view-edit": Row(ADMIN, {**_GIGS, "view": "view"}, sees=MEMBER),
    "records:view-update": Row(ADMIN, {**_GIGS, "view": "view"}, sees=MEMBER),
    "records:view-remove": Row(ADMIN, {**_GIGS, "view": "view"}, sees=MEMBER),
    "records:bulk-change": Row(MEMBER, _GIGS, sees=MEMBER),
    "records:bulk-value": Row(MEMBER, _GIGS, sees=MEMBER),
    "records:bulk-bin": Row(MEMBER, _GIGS, sees=MEMBER),
    "records:bin": Row(MEMBER, _GIGS, sees=MEMBER),
    "records:bin-restore": Row(MEMBER, _GIGS, sees=MEMBER),
    "records:bin-purge": Row(MEMBER, _GIGS, sees=MEMBER),
    # records: one of them
    "records:new": Row(MEMBER, _GIGS, sees=MEMBER),
    "records:record": Row(MEMBER, _GIG, sees=MEMBER),
    "records:history": Row(MEMBER, _GIG, sees=MEMBER),
    "records:record-edit": Row(MEMBER, _GIG, sees=MEMBER),
    "records:field-edit": Row(MEMBER, {**_GIG, "field": "f_name"}, sees=MEMBER),
    "records:record-bin": Row(MEMBER, _GIG, sees=MEMBER),
    "records:file-attach": Row(MEMBER, _GIG, sees=MEMBER),
    "records:file": Row(MEMBER, {**_GIG, "file": "file"}, sees=MEMBER),
    "records:file-remove": Row(MEMBER, {**_GIG, "file": "file"}, sees=MEMBER),
    "records:file-back": Row(MEMBER, {**_GIG, "file": "file"}, sees=MEMBER, or_404=True),
    # records: files on their way in
    "records:import-start": Row(ADMIN),
    "records:import-into": Row(MEMBER, _GIGS, sees=MEMBER),
    "records:import": Row(MEMBER, {"pk": "import"}, sees=MEMBER),
    **{
        f"records:import-{name}": Row(MEMBER, {"pk": "import"}, sees=MEMBER)
        for name in (
            "design",
            "mapping",
            "check",
            "apply",
            "result",
            "undo",
            "read",
            "again",
            "go-on",
            "drop",
        )
    },
    # records: the same of a registered room; keys of rooms mean something everywhere
    **{
        f"records:room-{name}": Row(MEMBER, _ROOM, sees=MEMBER, elsewhere=None)
        for name in ("list", "filter", "columns", "view-new", "new", "bulk-value")
    },
    **{
        # Rooms have no bin and change no many rows at once.
        f"records:room-{name}": Row(MEMBER, _ROOM, sees=MEMBER, or_404=True, elsewhere=None)
        for name in ("bulk-change", "bulk-bin", "bin", "bin-restore", "bin-purge")
    },
    "records:room-import-into": Row(MEMBER, _ROOM, sees=MEMBER, elsewhere=None),
    "records:room-find": Row(MEMBER, {**_ROOM, "field": "name"}, sees=MEMBER, or_404=True),
    **{
        f"records:room-{name}": Row(OWNER, {**_ROOM, "view": "room view"}, sees=OWNER)
        for name in ("view-edit", "view-update", "view-remove")
    },
    "records:room-record": Row(MEMBER, _SPEAKER, sees=MEMBER),
    "records:room-history": Row(MEMBER, _SPEAKER, sees=MEMBER),
    "records:room-record-edit": Row(MEMBER, _SPEAKER, sees=MEMBER),
    "records:room-field-edit": Row(MEMBER, {**_SPEAKER, "field": "name"}, sees=MEMBER),
    "records:room-record-bin": Row(MEMBER, _SPEAKER, sees=MEMBER),
    "records:room-file-attach": Row(MEMBER, _SPEAKER, sees=MEMBER, or_404=True),
    "records:room-file": Row(MEMBER, {**_SPEAKER, "file": NOBODY}, sees=MEMBER, or_404=True),
    "records:room-file-back": Row(MEMBER, {**_SPEAKER, "file": NOBODY}, sees=MEMBER, or_404=True),
    "records:room-file-remove": Row(MEMBER, {**_SPEAKER, "file": NOBODY}, sees=MEMBER, or_404=True),
}
