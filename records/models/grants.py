"""Grants on collections and on single records."""

from django.db import models

from permissions.models import GroupGrantBase, UserGrantBase
from records.models.collection import Collection
from records.models.record import Record


class CollectionUserGrant(UserGrantBase):
    """A permission of a person on a collection and all its records."""

    content_object = models.ForeignKey(Collection, on_delete=models.CASCADE)

    class Meta(UserGrantBase.Meta):
        pass


class CollectionGroupGrant(GroupGrantBase):
    """A permission of a group on a collection and all its records."""

    content_object = models.ForeignKey(Collection, on_delete=models.CASCADE)

    class Meta(GroupGrantBase.Meta):
        pass


class RecordUserGrant(UserGrantBase):
    """A permission of a person on one record."""

    content_object = models.ForeignKey(Record, on_delete=models.CASCADE)

    class Meta(UserGrantBase.Meta):
        pass


class RecordGroupGrant(GroupGrantBase):
    """A permission of a group on one record."""

    content_object = models.ForeignKey(Record, on_delete=models.CASCADE)

    class Meta(GroupGrantBase.Meta):
        pass
