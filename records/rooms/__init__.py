"""Rooms: Django models of engineering teams that get everything collections have, by one registration.

    # gear/models.py
    class Speaker(TenantRow):
        name = models.CharField(max_length=100)

    rooms.register(Speaker, title="Speakers")

With that the model has a policy (roles, and grants on single rows), a table with filters, sort, search
and pages, its screens, the trail, import, and the probes of the tests.
"""

from records.rooms.registry import NoRoom, Room, get, register, registered
from records.rooms.table import RoomTable, table_of

__all__ = ["NoRoom", "Room", "RoomTable", "get", "register", "registered", "table_of"]
