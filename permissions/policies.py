"""Policies: one object answers "may they?", "which ones?" and "why?" for a model.

All three are built from the same conditions on grants, so a list and a detail page cannot disagree.
A room registers its models when its app is ready:

    class RecordPolicy(ObjectPolicy[Record]):
        view = perms.RECORDS_VIEW
        grantable = (perms.RECORDS_VIEW, perms.RECORDS_CHANGE, perms.RECORDS_DELETE, perms.RECORDS_SHARE)
        parent = "collection"            # rights on the collection are rights on its records
        user_grants = RecordUserGrant    # left out: the generic tables
        group_grants = RecordGroupGrant

    register(Record, RecordPolicy)

and gives the model `Meta.permissions = perms.on_model(*grantable)`, so that guardian knows the names.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar, Generic, TypeVar

from django.core.exceptions import ImproperlyConfigured
from django.db.models import BooleanField, ExpressionWrapper, Model, Q, QuerySet
from django.db.models.functions import Cast
from django.db.models.signals import post_delete

from permissions import perms
from permissions.holder import Holder, Who, holder_for
from permissions.models import GroupGrant, UserGrant
from permissions.models.periods import unended
from permissions.reasons import Reason, reasons_of
from tenants.explicit_ids import content_type_id, permission_id

Row = TypeVar("Row", bound=Model)
NOTHING = Q(pk__in=())
EVERYTHING = Q()


class NoPolicy(ImproperlyConfigured):
    """A model was asked for that no room has registered a policy for."""


def _answers(asked: Mapping[str, Q]) -> dict[str, ExpressionWrapper[Q]]:
    """Return each condition as an annotation."""
    return {
        f"may_{number}": ExpressionWrapper(condition, BooleanField())
        for number, condition in enumerate(asked.values())
    }


class ObjectPolicy(Generic[Row]):
    """What may be done to the rows of one model, by role, by grant, and by what their parent allows.

    `view` is the permission that makes a row visible, `share` the one needed to grant others. Every
    method takes a person (or a Holder, for several questions about one moment) and a time.
    """

    view: ClassVar[str]
    share: ClassVar[str] = perms.RECORDS_SHARE
    grantable: ClassVar[Sequence[str]]
    # What else can be asked of a row, though it cannot be granted on one.
    more: ClassVar[Sequence[str]] = ()
    parent: ClassVar[str | None] = None
    user_grants: ClassVar[type[Any]] = UserGrant
    group_grants: ClassVar[type[Any]] = GroupGrant
    # How sentences call one row, and all of them.
    noun: ClassVar[str] = "object"
    every_noun: ClassVar[str] = "everything"

    def __init__(self, model: type[Row]) -> None:
        self.model = model
        perms.checked((self.view, self.share, *self.grantable, *self.more))

    # --- what a room may say otherwise ------------------------------------------------------------

    def rows(self) -> QuerySet[Row]:
        """Return the rows that there are to see at all."""
        return self.model._default_manager.all()

    def name_of(self, obj: Model) -> str:
        """Return what sentences call a row."""
        return str(obj)

    def url_of(self, obj: Model) -> str:
        """Return the address of a row's own page, where it has one."""
        return ""

    def more_reasons(self, holder: Holder, obj: Row) -> list[Reason]:
        """Return reasons beyond role and grants, for a policy whose condition knows more than these."""
        return []

    # --- questions --------------------------------------------------------------------------------

    def visible_to(self, who: Who, at: datetime, *, to: str | None = None) -> QuerySet[Row]:
        """Return the rows that a person may see, or do `to` to, at `at`."""
        return self.rows().filter(self.condition(holder_for(who, at=at), to or self.view))

    def visible_within(
        self, who: Who, parent: Model, at: datetime, *, to: str | None = None
    ) -> QuerySet[Row]:
        """Return the visible rows of one parent: the same rows as `visible_to` of that parent.

        What the parent allows is asked once, so that the page of a large parent needs no condition.
        """
        if self.parent is None:
            raise ImproperlyConfigured(f"{self.model._meta.label} has no parent.")
        holder, perm = holder_for(who, at=at), to or self.view
        of_parent = self.rows().filter(**{self.parent: parent})
        if not holder.may_reach(perm):
            return of_parent.none()
        if perm in holder.held or policy_for(type(parent)).allows(holder, perm, parent, at):
            return of_parent
        return of_parent.filter(self.granted(holder, perm, path="pk"))

    def allows(self, who: Who, perm: str, obj: Row, at: datetime) -> bool:
        """Return whether a person may do `perm` to `obj` at `at`. Raises UnknownPermission."""
        perms.known(perm)
        condition = self.condition(holder_for(who, at=at), perm)
        if condition == NOTHING:
            return False
        return self.rows().filter(condition, pk=obj.pk).exists()

    def perms_of(self, who: Who, obj: Row, at: datetime) -> frozenset[str]:
        """Return everything that a person may do to `obj` at `at`."""
        return self.perms_of_many(who, [obj], at)[obj.pk]

    def perms_of_many(self, who: Who, objs: Sequence[Row], at: datetime) -> dict[Any, frozenset[str]]:
        """Return what a person may do to each of a page's rows, in one query."""
        always, asked = self._questions(holder_for(who, at=at))
        found: dict[Any, frozenset[str]] = {obj.pk: frozenset() for obj in objs}
        rows = self.rows().filter(pk__in=list(found)).annotate(**_answers(asked))
        for pk, *allowed in rows.values_list("pk", *_answers(asked)):
            found[pk] = always | {name for name, yes in zip(asked, allowed, strict=True) if yes}
        return found

    def visible_with_perms(
        self, who: Who, at: datetime
    ) -> tuple[QuerySet[Row], Callable[[Row], frozenset[str]]]:
        """Return the rows that a person may see, and what tells of one of these all they may do to it.

        Rows and answers come in one query. A row from elsewhere is asked about with `perms_of`.
        """
        holder = holder_for(who, at=at)
        always, asked = self._questions(holder)

        def told(row: Row) -> frozenset[str]:
            allowed = {name for name, answer in zip(asked, _answers(asked), strict=True) if vars(row)[answer]}
            return always | {self.view} | allowed

        return self.visible_to(holder, at).annotate(**_answers(asked)), told

    def _questions(self, holder: Holder) -> tuple[frozenset[str], dict[str, Q]]:
        """Return what a holder may do to every row, and the conditions under which they may do more."""
        conditions = {name: self.condition(holder, name) for name in sorted(self._vocabulary)}
        always = holder.held | {name for name, condition in conditions.items() if condition == EVERYTHING}
        asked = {
            name: condition
            for name, condition in conditions.items()
            if condition not in (EVERYTHING, NOTHING)
        }
        return always, asked

    def why(self, who: Who, obj: Row, at: datetime) -> list[Reason]:
        """Return, in sentences, everything that lets a person at `obj`; nothing if they cannot see it."""
        return reasons_of(self, holder_for(who, at=at), obj)

    # --- the one condition ------------------------------------------------------------------------

    def condition(self, holder: Holder, perm: str) -> Q:
        """Return the condition on rows of this model under which a holder may do `perm`."""
        if not holder.may_reach(perm):
            return NOTHING
        if perm in holder.held:
            return EVERYTHING
        found = Q()
        for level, path in self._levels:
            found |= level.granted(holder, perm, path="__".join((*path, "pk")))
        return found or NOTHING

    @cached_property
    def _vocabulary(self) -> frozenset[str]:
        """Every permission that can be asked of a row: of this policy and of those it inherits from."""
        names = {self.view, *self.more}
        for level, _ in self._levels:
            names.update(level.grantable)
        return perms.closed(names)

    @cached_property
    def _levels(self) -> tuple[tuple["ObjectPolicy[Any]", tuple[str, ...]], ...]:
        """This policy, its parent's, and so on upwards, each with the path of fields that leads there."""
        levels: list[tuple[ObjectPolicy[Any], tuple[str, ...]]] = [(self, ())]
        while (last := levels[-1])[0].parent:
            policy, path = last
            field = policy.model._meta.get_field(str(policy.parent))
            levels.append((policy_for(field.related_model), (*path, str(policy.parent))))
        return tuple(levels)

    def granted(self, holder: Holder, perm: str, *, path: str) -> Q:
        ids = self.permission_ids(perms.givers(perm) & frozenset(self.grantable))
        if not ids:
            return NOTHING
        found = Q()
        for grants, whose in self.sources(holder):
            keys = grants.objects.filter(unended(at=holder.at), **whose, permission_id__in=ids)
            found |= Q(**{f"{path}__in": self._object_keys(grants, keys)})
        return found

    def chain(self, obj: Model) -> Iterator[tuple["ObjectPolicy[Any]", Model]]:
        """Yield the policy and row of `obj`, then of what it inherits from, upwards."""
        for level, path in self._levels:
            above = obj
            for name in path:
                above = getattr(above, name)
            yield level, above

    def sources(self, holder: Holder) -> list[tuple[type[Any], dict[str, Any]]]:
        """Return the tables of grants with the condition that makes a row one of this holder's."""
        sources: list[tuple[type[Any], dict[str, Any]]] = [(self.user_grants, {"user_id": holder.user_id})]
        if holder.groups:
            sources.append((self.group_grants, {"group_id__in": sorted(holder.groups)}))
        return sources

    # --- where grants are kept --------------------------------------------------------------------

    @cached_property
    def _permission_numbers(self) -> dict[str, int]:
        meta = self.model._meta
        return {
            name: permission_id(meta.app_label, meta.model_name or "", perms.known(name).codename)
            for name in self.grantable
        }

    def permission_ids(self, names: Iterable[str]) -> list[int]:
        """Return the numbers of guardian's permissions for names that are grantable here."""
        return sorted(self._permission_numbers[name] for name in names)

    def codenames(self) -> list[str]:
        """Return the names as guardian's permissions on the model spell them."""
        return [perms.known(name).codename for name in self.grantable]

    def names_by_id(self) -> dict[int, str]:
        """Return the name behind each of guardian's permission numbers."""
        return {number: name for name, number in self._permission_numbers.items()}

    def grants_on(self, grants: type[Any], keys: Iterable[Any]) -> QuerySet[Any]:
        """Return the grants of one table on the rows with these keys."""
        wanted: dict[str, Any] = {f"{self.key_field(grants)}__in": list(keys)}
        if _is_generic(grants):
            wanted = {"object_pk__in": [str(key) for key in keys], "content_type_id": self.type_id}
        found: QuerySet[Any] = grants.objects.filter(**wanted)
        return found

    def key_field(self, grants: type[Any]) -> str:
        """Return the column of a table of grants that names the object."""
        return "object_pk" if _is_generic(grants) else "content_object_id"

    @cached_property
    def type_id(self) -> int:
        """Return the number of the model's content type."""
        return content_type_id(self.model._meta.app_label, self.model._meta.model_name or "")

    def _object_keys(self, grants: type[Any], rows: QuerySet[Any]) -> QuerySet[Any]:
        if not _is_generic(grants):
            return rows.values("content_object_id")
        return rows.filter(content_type_id=self.type_id).values(_key=_as_key(self.model))


def _is_generic(grants: type[Any]) -> bool:
    return bool(grants.objects.is_generic())


def _as_key(model: type[Model]) -> Any:
    """Return the text of a generic grant's object as the model's own kind of key."""
    return Cast("object_pk", type(model._meta.pk)())


_registry: dict[type[Model], ObjectPolicy[Any]] = {}


def register(model: type[Row], policy: type[ObjectPolicy[Row]]) -> ObjectPolicy[Row]:
    """Let `policy` decide about the rows of `model`. Raises UnknownPermission for an undeclared name."""
    made = policy(model)
    _registry[model] = made
    if _is_generic(made.user_grants) or _is_generic(made.group_grants):
        post_delete.connect(_forget_grants, sender=model, dispatch_uid=f"permissions.{model._meta.label}")
    return made


def _forget_grants(sender: type[Model], instance: Model, **kwargs: Any) -> None:
    """Take the generic grants away with their object, as a foreign key does for the others."""
    policy = policy_for(sender)
    for grants in (policy.user_grants, policy.group_grants):
        policy.grants_on(grants, [instance.pk]).delete()


def policy_for(model: type[Row]) -> ObjectPolicy[Row]:
    """Return the policy of a model; raise NoPolicy for one that nobody registered."""
    try:
        return _registry[model]
    except KeyError:
        raise NoPolicy(f"{model._meta.label} has no policy: see permissions.policies.register.") from None


def registered() -> dict[type[Model], ObjectPolicy[Any]]:
    """Return every model with its policy."""
    return dict(_registry)


def policy_by_type(type_number: int) -> ObjectPolicy[Any] | None:
    """Return the policy of the model behind a content type's number, or None."""
    return next((policy for policy in _registry.values() if policy.type_id == type_number), None)
