"""`{% load permissions %}`: rights in the words of people."""

from collections.abc import Iterable
from datetime import datetime

from django import template

from permissions import reasons
from permissions.grants import Shared
from permissions.panels import address

register = template.Library()


@register.filter
def doing(names: Iterable[str]) -> str:
    """Permissions inside a sentence: "viewing and changing"."""
    return reasons.doing(names)


@register.filter
def last_day(ends_at: datetime) -> str:
    """The last day of something that ends then."""
    return reasons.until_words(ends_at)


@register.filter
def access_url(shared: Shared) -> str:
    """The page about access to what is shared."""
    return address("access", shared.obj)


@register.filter
def shared_name(shared: Shared) -> str:
    """What the shared object is called."""
    return shared.policy.name_of(shared.obj)
