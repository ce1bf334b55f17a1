"""The session engine: rows in the plane of the current context, keys stored hashed, bound to the host.

Loading a session asks for the person in the same query, so that deactivating somebody or signing them
out everywhere (both raise `session_version`) is felt on the next request. A token is never older than
what it stands for: signing in, giving the password again and another role each put a new one in its
place (accounts.middleware.renewal).
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.identity.models import Session, User
from accounts.keys import Unreadable, seal, unseal
from tenants.context import NoTenant, Plane, current
from tenants.prepared import BYTES, KEY, TEXT, Prepared

# A use is written down at most so often: a write for each request would lock the row for parallel ones.
NOTED_EVERY = timedelta(minutes=5)
# Nobody's session: a sign-in under way, a message. Kept for as long as a sign-in may take.
ANONYMOUS_IDLE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Device:
    """What the list of sessions shows: the browser's own description and the address, as sent."""

    agent: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a session is valid."""

    organisation_id: UUID | None
    host: str


def digest(token: str) -> bytes:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode()).digest()


def _place() -> _Place | None:
    """Return where the current request is, or None where nobody can be signed in."""
    context = current()
    if context is None or context.plane not in (Plane.TENANT, Plane.CONTROL):
        return None
    if context.organisation is None:
        return _Place(None, settings.OPERATORS_HOST)
    return _Place(context.organisation.id, context.organisation.host)


def _session(key: bytes, organisation_id: UUID | None, host: str) -> QuerySet[Session]:
    """Return the session of a token, with who is signed in."""
    kept = Session.objects.select_related("user")
    return kept.filter(digest=key, organisation_id=organisation_id, host=host)


# Asked by every request that brings a cookie.
_SESSION = Prepared(_session, key=BYTES, organisation_id=KEY, host=TEXT)


class SessionStore(SessionBase):
    """One browser's session. `person` is who is signed in, or None."""

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self.device = Device()
        self.row: Session | None = None
        # Whether this request ended it, so that the browser's cookie is to go, too.
        self.was_ended = False

    @property
    def person(self) -> User | None:
        """Return who is signed in, loading the session if that has not been done."""
        self._get_session()  # type: ignore[attr-defined]  # not in the stubs
        return self.row.user if self.row is not None else None

    def load(self) -> dict[str, Any]:
        """Return the stored data; nothing, and no key, if this token opens nothing here and now."""
        now = timezone.now()
        row = self._find(at=now)
        data = self._open(row) if row is not None else None
        if row is None or data is None:
            self._session_key = None
            return {}
        self.row = row
        if now - row.last_seen_at > NOTED_EVERY:
            row.see(at=now)
        return data

    def _find(self, *, at: datetime) -> Session | None:
        place = _place()
        if place is None or not self.session_key:
            return None
        key = digest(self.session_key)
        if place.organisation_id is None:
            found = list(_session(key, None, place.host))
        else:
            found = _SESSION(key=key, organisation_id=place.organisation_id, host=place.host)
        return found[0] if found and found[0].is_alive(at=at) else None

    def _open(self, row: Session) -> dict[str, Any] | None:
        """Return the data of a row whose person may still use it."""
        try:
            data: dict[str, Any] = self.decode(row.data)
        except Unreadable:
            return None
        user = row.user
        if user is None:
            return data if SESSION_KEY not in data else None
        stands = (
            user.is_active
            and user.session_version == row.version
            and data.get(SESSION_KEY) == str(user.pk)
            and constant_time_compare(data.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())
        )
        return data if stands else None

    def exists(self, session_key: str) -> bool:
        """Return whether the token opens a session here."""
        return Session.objects.filter(digest=digest(session_key)).exists()

    def create(self) -> None:
        """Give the data a new token and store it."""
        self._session_key = secrets.token_urlsafe(32)
        self.row = None
        self.save(must_create=True)
        self.modified = True

    def save(self, must_create: bool = False) -> None:
        """Store the data. Raises UpdateError if the session was ended meanwhile, NoTenant outside a site."""
        if self.session_key is None:
            self.create()
            return
        data: dict[str, Any] = self._get_session(no_load=must_create)  # type: ignore[attr-defined]  # not in the stubs
        now = timezone.now()
        if must_create or self.row is None:
            self._session_key = self.session_key or secrets.token_urlsafe(32)
            self.row = self._insert(data, at=now)
            return
        whose = self._whose(data, at=now)
        if not Session.objects.filter(pk=self.row.pk).update(data=self.encode(data), **whose):
            raise UpdateError
        for name, value in whose.items():
            setattr(self.row, name, value)

    def _insert(self, data: dict[str, Any], *, at: datetime) -> Session:
        place = _place()
        if place is None or self.session_key is None:
            raise NoTenant("Sessions are kept inside an organisation or at the operators' console.")
        fields: dict[str, Any] = {"idle": ANONYMOUS_IDLE, "idle_until": at + ANONYMOUS_IDLE}
        fields.update(self._whose(data, at=at))
        row = Session(
            digest=digest(self.session_key),
            organisation_id=place.organisation_id,
            host=place.host,
            data=self.encode(data),
            agent=self.device.agent[:200],
            address=self.device.address or None,
            created_at=at,
            last_seen_at=at,
            ends_at=at + settings.SESSION_ENDS_AFTER,
            **fields,
        )
        row.save(force_insert=True)
        return row

    def _whose(self, data: dict[str, Any], *, at: datetime) -> dict[str, Any]:
        """Return the columns that change when somebody signs in, and the idle limit that was chosen."""
        user_id = data.get(SESSION_KEY)
        if user_id is None:
            return {"user": None}
        idle = settings.SESSION_IDLE_SHORT if self.get_expire_at_browser_close() else settings.SESSION_IDLE
        columns: dict[str, Any] = {"idle": idle, "idle_until": at + idle}
        if self.row is None or str(self.row.user_id) != user_id:
            person = User.objects.get(pk=user_id)
            columns.update(user=person, version=person.session_version, authenticated_at=at)
        return columns

    def renew(self) -> bool:
        """Put a new token in the place of this one, which opens nothing any more; all else stays.

        Returns False, and changes nothing, if the session was ended or renewed meanwhile.
        """
        if self.row is None or self.session_key is None:
            return False
        token, now = secrets.token_urlsafe(32), timezone.now()
        same = Session.objects.filter(pk=self.row.pk, digest=digest(self.session_key))
        if not same.update(digest=digest(token), created_at=now):
            return False
        self.row.created_at = now
        self._session_key = token
        self.modified = True
        return True

    def delete(self, session_key: str | None = None) -> None:
        """End the session of a token (this one's, if none is given)."""
        token = session_key or self.session_key
        self.was_ended = True
        if token:
            Session.objects.filter(digest=digest(token)).delete()

    def encode(self, session_dict: dict[str, Any]) -> str:
        """Return the data as stored: encrypted, because it can hold a second step's secret."""
        return seal(self.serializer().dumps(session_dict).decode("latin-1"))

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        """Return what `encode` was given; raise Unreadable for anything else."""
        data: dict[str, Any] = self.serializer().loads(unseal(str(session_data)).encode("latin-1"))
        return data

    @classmethod
    def clear_expired(cls) -> None:
        """Delete the sessions that have ended, in the plane of the current context."""
        Session.objects.over(at=timezone.now()).delete()


__all__ = ["CreateError", "Device", "SessionStore", "UpdateError"]
