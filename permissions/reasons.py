"""Reasons: why a person may see something, in sentences they understand."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Model
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from permissions import perms
from permissions.holder import Holder
from permissions.models.periods import unended

if TYPE_CHECKING:
    from permissions.policies import ObjectPolicy


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that lets a person at an object, or holds them back.

    `source` is role, person, group or ceiling; `perms` what it gives (or leaves, for a ceiling);
    `inherited` says that it was given on something above the object.
    """

    sentence: str
    source: str
    perms: frozenset[str]
    until: datetime | None = None
    inherited: bool = False


def reasons_of(policy: "ObjectPolicy[Any]", holder: Holder, obj: Model) -> list[Reason]:
    """Return everything that lets a holder at `obj`; nothing if they cannot see it."""
    found = [
        *_by_role(policy, holder),
        *_by_grants(policy, holder, obj),
        *policy.more_reasons(holder, obj),
    ]
    given = perms.closed(name for reason in found for name in reason.perms)
    if policy.view not in holder.under_ceiling(given):
        return []
    if not policy.rows().filter(pk=obj.pk).exists():
        return []
    lost = given - holder.under_ceiling(given)
    if lost and holder.ceiling is not None:
        left = given & holder.ceiling
        sentence = _("Guests may do no more than %(left)s, whatever is shared with them") % {
            "left": doing(left)
        }
        found.append(Reason(sentence, "ceiling", left))
    return found


def _by_role(policy: "ObjectPolicy[Any]", holder: Holder) -> Iterator[Reason]:
    held = holder.held & frozenset(policy.grantable)
    if held and holder.role is not None:
        sentence = _("%(role)s role allows %(doing)s of %(every)s") % {
            "role": holder.role.name,
            "doing": doing(held),
            "every": policy.every_noun,
        }
        yield Reason(sentence, "role", held)


def _by_grants(policy: "ObjectPolicy[Any]", holder: Holder, obj: Model) -> Iterator[Reason]:
    if not holder.is_member:
        return
    for level, above in policy.chain(obj):
        for grants, whose in level.sources(holder):
            rows = level.grants_on(grants, [above.pk]).filter(unended(at=holder.at), **whose)
            for given in _together(level, rows):
                yield _reason(level, above, given, holder, inherited=above is not obj)


@dataclass(frozen=True, slots=True)
class _Given:
    """Grants that were given together: to the same, by the same, until the same moment."""

    group: str | None
    by: str
    until: datetime | None
    perms: frozenset[str]


def _together(level: "ObjectPolicy[Any]", rows: Any) -> list[_Given]:
    names = level.names_by_id()
    has_group = any(field.name == "group" for field in rows.model._meta.fields)
    related = ("granted_by", "group") if has_group else ("granted_by",)
    found: dict[tuple[str | None, str, datetime | None], set[str]] = {}
    for row in rows.select_related(*related).order_by("granted_at", "pk"):
        if row.permission_id in names:
            by = row.granted_by.name if row.granted_by else ""
            key = (row.group.name if has_group else None, by, row.ends_at)
            found.setdefault(key, set()).add(names[row.permission_id])
    return [_Given(*key, perms=frozenset(given)) for key, given in found.items()]


def _reason(
    level: "ObjectPolicy[Any]", above: Model, given: _Given, holder: Holder, *, inherited: bool
) -> Reason:
    to = _("the group %(group)s") % {"group": given.group} if given.group else holder.name
    sentence = _("Shared with %(to)s") % {"to": to}
    if given.by:
        sentence = _("%(shared)s by %(by)s") % {"shared": sentence, "by": given.by}
    if given.until:
        sentence = _("%(shared)s until %(day)s") % {"shared": sentence, "day": until_words(given.until)}
    sentence = _("%(shared)s, for %(doing)s") % {"shared": sentence, "doing": doing(given.perms)}
    if inherited:
        sentence = _("Inherited from the %(noun)s %(name)s: %(shared)s") % {
            "noun": level.noun,
            "name": level.name_of(above),
            "shared": sentence[:1].lower() + sentence[1:],
        }
    return Reason(sentence, "group" if given.group else "person", given.perms, given.until, inherited)


def doing(names: Iterable[str]) -> str:
    """Return permissions as words inside a sentence: "viewing, changing and sharing"."""
    wanted = frozenset(names)
    # Who may view the records sees the collection: that goes without saying.
    if any(perms.COLLECTIONS_VIEW in perms.known(name).implies for name in wanted):
        wanted -= {perms.COLLECTIONS_VIEW}
    words = [str(perm.doing) for perm in perms.every() if perm.name in wanted]
    return in_words(words)


def in_words(words: list[str]) -> str:
    """Return words as a list in a sentence."""
    if not words:
        return _("nothing")
    if len(words) == 1:
        return words[0]
    return _("%(first)s and %(last)s") % {"first": ", ".join(words[:-1]), "last": words[-1]}


def until_words(ends_at: datetime) -> str:
    """Return the last day of something that ends at `ends_at`, with the time where it is not midnight."""
    local = timezone.localtime(ends_at)
    if (local.hour, local.minute) == (0, 0):
        return date_format(local - timedelta(seconds=1), "j F Y")
    return date_format(local, "j F Y, H:i")
