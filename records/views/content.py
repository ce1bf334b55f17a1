"""The content of files, served from a host of its own, where no cookie of ours ever comes.

What a person uploaded could be a page that acts in their name; on another site it has no name to act
in. The address is the key: it names organisation, file, person and session, ends after a minute, and
the policy is asked again when it is used, so that a right taken away meanwhile counts.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from accounts.identity.models import Session, User
from accounts.sessions import digest
from permissions.holder import load
from permissions.policies import policy_for
from records.files import storage
from records.models import RecordFile
from records.tables import of_collection
from records.views.answers import person
from tenants.context import Actor, become, required
from tenants.models import Organisation

# Seconds that an address is good for: as long as a browser needs to follow a redirect.
GOOD_FOR = 60
_SALT = "records.content"
_SANDBOX = "default-src 'none'; sandbox; frame-ancestors 'none'"


@dataclass(frozen=True, slots=True)
class Ticket:
    """What an address names. `session` is a fingerprint, so that the address opens no session."""

    organisation: UUID
    file: UUID
    person: UUID
    session: str

    def sign(self) -> str:
        """Return the ticket as text that nobody else can write."""
        parts = [str(self.organisation), str(self.file), str(self.person), self.session]
        return signing.dumps(parts, salt=_SALT, compress=False)

    @classmethod
    def read(cls, text: str) -> "Ticket":
        """Return the ticket behind a text. Raises signing.BadSignature, also when it has ended."""
        organisation, file, person, session = signing.loads(text, salt=_SALT, max_age=GOOD_FOR)
        return cls(UUID(organisation), UUID(file), UUID(person), session)


def content_url(request: HttpRequest, file: RecordFile) -> str:
    """Return the address of a file's content for the person and the session of this request."""
    organisation = _organisation_id()
    ticket = Ticket(organisation, file.pk, person(request).pk, _fingerprint(_session_of(request)))
    label = Organisation.objects.values_list("content_label", flat=True).get(pk=organisation)
    port = f":{request.get_port()}" if ":" in request.get_host() else ""
    host = f"{label}.{settings.CONTENT_DOMAIN}{port}"
    path = reverse("content", args=[file.pk, file.name], urlconf=settings.URLCONF_CONTENT)
    return f"{request.scheme}://{host}{path}?ticket={quote(ticket.sign())}"


def _organisation_id() -> UUID:
    organisation = required().organisation
    if organisation is None:
        raise Http404
    return organisation.id


def _session_of(request: HttpRequest) -> bytes:
    return digest(str(request.session.session_key))


def _fingerprint(session: bytes) -> str:
    return salted_hmac(_SALT, session, algorithm="sha256").hexdigest()


@require_safe
def content(request: HttpRequest, pk: UUID, name: str) -> HttpResponse | StreamingHttpResponse:
    """Serve the content of a file to who holds a ticket for it and still may read it."""
    try:
        ticket = Ticket.read(request.GET.get("ticket", ""))
    except (signing.BadSignature, ValueError):
        raise Http404 from None
    if ticket.organisation != _organisation_id() or ticket.file != pk:
        raise Http404
    reader = _reader(ticket, at=timezone.now())
    become(Actor("person", reader.pk, reader.name))
    file = _readable(reader, pk, at=timezone.now())
    try:
        # Opened now, inside the organisation; sent when its transaction has ended.
        chunks = storage.open_content(file)
    except FileNotFoundError:
        raise Http404 from None
    response = StreamingHttpResponse(chunks, content_type=file.content_type)
    response["Content-Length"] = str(file.size)
    response["Content-Disposition"] = content_disposition_header(True, file.name) or "attachment"
    response["Content-Security-Policy"] = _SANDBOX
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Referrer-Policy"] = "no-referrer"
    return response


def _reader(ticket: Ticket, *, at: datetime) -> User:
    """Return the person of a ticket while their session lives. Raises Http404."""
    sessions: Any = Session.objects.of(ticket.person).alive(at=at).select_related("user")
    for session in sessions:
        known = _fingerprint(bytes(session.digest))
        if hmac.compare_digest(known, ticket.session) and session.organisation_id == ticket.organisation:
            user = session.user
            if user is not None and user.is_active and user.session_version == session.version:
                return user  # type: ignore[no-any-return]  # the queryset above is of sessions
    raise Http404


def _readable(reader: User, pk: UUID, *, at: datetime) -> RecordFile:
    holder = load(reader, at=at)
    seen = policy_for(RecordFile).visible_to(holder, at).select_related("record__collection")
    file = seen.filter(pk=pk).first()
    if file is None:
        raise Http404
    if file.field_key:
        hidden = of_collection(file.record.collection, holder, at=at).hidden
        if file.field_key in hidden:
            raise Http404
    return file


# This host shows no page of ours: what went wrong is a line of plain text.


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 400."""
    return _line("This address cannot be read.", 400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 403."""
    return _line("You cannot do this here.", 403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 404."""
    return _line("There is nothing here, or no longer. Open the file again from its record.", 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500."""
    return _line("Something went wrong on our side.", 500)


def _line(text: str, status: int) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")
