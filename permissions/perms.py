"""The closed vocabulary of what people may do.

Code asks for a permission, never for a role. Rooms declare their names at import, and every place
that takes a name checks it then: a typing mistake fails at start-up and not for one customer.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from django.core.exceptions import ImproperlyConfigured

Scope = Literal["organisation", "object"]
OWNER, ADMIN, MEMBER, GUEST = "owner", "admin", "member", "guest"
_BUILT_IN = frozenset({ADMIN, MEMBER, GUEST})


class UnknownPermission(ImproperlyConfigured):
    """A name that no room has declared."""


@dataclass(frozen=True, slots=True)
class Perm:
    """One permission.

    `label` heads a row of the matrix of roles, `doing` stands inside a sentence ("viewing"). Names of
    scope `object` can also be granted on single objects. `implies` are held by whoever holds this one;
    `roles` are the built-in roles that hold it (the owner holds everything).
    """

    name: str
    label: str
    help: str
    scope: Scope
    doing: str
    implies: frozenset[str] = field(default_factory=frozenset)
    roles: frozenset[str] = field(default_factory=frozenset)

    @property
    def codename(self) -> str:
        """Return the name as Django's permission on a model spells it."""
        return self.name.replace(".", "_")


_declared: dict[str, Perm] = {}


def declare(
    name: str,
    *,
    label: str,
    help: str,
    scope: Scope = "organisation",
    doing: str = "",
    implies: Iterable[str] = (),
    roles: Iterable[str] = (),
) -> str:
    """Add a name to the vocabulary and return it.

    Raises ImproperlyConfigured for a name declared twice or a role that is not built in,
    UnknownPermission for an implied name that is not declared before.
    """
    if name in _declared:
        raise ImproperlyConfigured(f"The permission {name!r} is declared twice.")
    unknown = set(roles) - _BUILT_IN
    if unknown:
        raise ImproperlyConfigured(f"{name!r}: {sorted(unknown)} are not built-in roles below the owner.")
    implied = closed(implies)
    _declared[name] = Perm(
        name, label, help, scope, doing or label[:1].lower() + label[1:], implied, frozenset(roles)
    )
    return name


def known(name: str) -> Perm:
    """Return a declared permission; raise UnknownPermission for any other name."""
    try:
        return _declared[name]
    except KeyError:
        raise UnknownPermission(f"{name!r} is not a permission: see permissions.perms.") from None


def checked(names: Iterable[str]) -> frozenset[str]:
    """Return the names as a set; raise UnknownPermission if one is not declared."""
    return frozenset(known(name).name for name in names)


def closed(names: Iterable[str]) -> frozenset[str]:
    """Return the names with everything that they imply."""
    found: set[str] = set()
    for name in names:
        found.add(name)
        found |= known(name).implies
    return frozenset(found)


def givers(name: str) -> frozenset[str]:
    """Return the names whose holders also hold `name`: itself, and those that imply it."""
    known(name)
    return frozenset(perm.name for perm in _declared.values() if name == perm.name or name in perm.implies)


def every() -> tuple[Perm, ...]:
    """Return every permission, in the order of declaration."""
    return tuple(_declared.values())


def every_name() -> frozenset[str]:
    """Return every name: what an owner holds."""
    return frozenset(_declared)


def of_built_in(code: str) -> frozenset[str]:
    """Return what a built-in role holds, as the running code says."""
    if code == OWNER:
        return every_name()
    return closed(perm.name for perm in _declared.values() if code in perm.roles)


def on_model(*names: str) -> list[tuple[str, str]]:
    """Return `Meta.permissions` for a model on which these may be granted.

    Raises UnknownPermission, or ImproperlyConfigured for one that is not about objects.
    """
    for name in names:
        if known(name).scope != "object":
            raise ImproperlyConfigured(
                f"{name!r} is about the organisation and cannot be granted on an object."
            )
    return [(known(name).codename, known(name).label) for name in names]


PEOPLE_VIEW = declare(
    "people.view",
    label="See people and groups",
    help="The list of people, their roles and groups.",
    roles=(ADMIN, MEMBER),
)
PEOPLE_MANAGE = declare(
    "people.manage",
    label="Manage people",
    help="Invite people, change roles up to one's own, deactivate and reactivate.",
    implies=(PEOPLE_VIEW,),
    roles=(ADMIN,),
)
GROUPS_MANAGE = declare(
    "groups.manage",
    label="Manage groups",
    help="Make, rename and delete groups; add and remove people.",
    implies=(PEOPLE_VIEW,),
    roles=(ADMIN,),
)
ROLES_MANAGE = declare(
    "roles.manage",
    label="Manage roles",
    help="Make, change and delete the organisation's own roles, up to what one holds.",
    implies=(PEOPLE_VIEW,),
    roles=(ADMIN,),
)
SHARING_VIEW = declare(
    "sharing.view",
    label="See all sharing",
    help="Everything that is shared: with whom, until when, by whom.",
    roles=(ADMIN,),
)
TRAIL_VIEW = declare(
    "trail.view",
    label="Read the trail",
    help="Who did what, when, in the whole organisation.",
    roles=(ADMIN,),
)
SETTINGS_CHANGE = declare(
    "settings.change",
    label="Change settings",
    help="Name, look, sign-in and limits of the organisation.",
    roles=(ADMIN,),
)
EXPORT_ALL = declare(
    "organisation.export",
    label="Export everything",
    help="Have everything of the organisation written into one file, and fetch it: also what is shared with "
    "nobody, and the trail.",
)
DIVIDE = declare(
    "organisation.divide",
    label="Divide the organisation",
    help="Choose what becomes an organisation of its own, see what that means, and ask the operators for it.",
)
JOBS_VIEW = declare(
    "jobs.view", label="See jobs", help="Long work under way and its results.", roles=(ADMIN, MEMBER)
)
COLLECTIONS_VIEW = declare(
    "collections.view",
    label="See collections",
    help="That a collection exists, its design and description.",
    scope="object",
    doing="seeing the collection",
    roles=(ADMIN, MEMBER),
)
COLLECTIONS_DESIGN = declare(
    "collections.design",
    label="Design collections",
    help="Make collections; add, change and remove their fields.",
    scope="object",
    doing="designing",
    implies=(COLLECTIONS_VIEW,),
    roles=(ADMIN,),
)
RECORDS_VIEW = declare(
    "records.view",
    label="View records",
    help="Read records and their files.",
    scope="object",
    doing="viewing",
    implies=(COLLECTIONS_VIEW,),
    roles=(ADMIN, MEMBER),
)
RECORDS_CHANGE = declare(
    "records.change",
    label="Add and change records",
    help="Make records, change their fields and files.",
    scope="object",
    doing="changing",
    implies=(RECORDS_VIEW,),
    roles=(ADMIN, MEMBER),
)
RECORDS_DELETE = declare(
    "records.delete",
    label="Delete records",
    help="Move records to the bin and take them out again.",
    scope="object",
    doing="deleting",
    implies=(RECORDS_VIEW,),
    roles=(ADMIN, MEMBER),
)
RECORDS_SHARE = declare(
    "records.share",
    label="Share records",
    help="Give people and groups access to what one can open, up to what one holds.",
    scope="object",
    doing="sharing",
    implies=(RECORDS_VIEW,),
    roles=(ADMIN, MEMBER),
)
RECORDS_IMPORT = declare(
    "records.import",
    label="Import records",
    help="Load files into a collection, and undo it.",
    scope="object",
    doing="importing",
    implies=(RECORDS_CHANGE,),
    roles=(ADMIN, MEMBER),
)
