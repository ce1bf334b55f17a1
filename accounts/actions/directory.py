"""Keeping the control plane's directory true: which verified addresses have a user here.

No transaction spans both planes, so the directory is written after the commit, in a step of its
own; what a dead process left out, `repair` mends, as often as it is called.
"""

from uuid import UUID

from allauth.account.models import EmailAddress
from django.db import transaction

from accounts.identity.models import User
from tenants.context import Actor, current_tenant, enter
from tenants.models import Organisation
from tenants.models.directory import DirectoryEntry, address_digest, forget_address, note_address


def note_person(user: User) -> None:
    """Write a person's verified addresses down, after the commit."""
    organisation_id, user_id = current_tenant().id, user.pk
    addresses = _addresses_of(user) if user.is_active else []
    transaction.on_commit(lambda: _write(organisation_id, user_id, addresses))


def _addresses_of(user: User) -> list[str]:
    return list(EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True))


def _write(organisation_id: UUID, user_id: UUID, addresses: list[str]) -> None:
    with transaction.atomic(using="control"):
        forget_address(organisation_id=organisation_id, user_id=user_id)
        for address in addresses:
            note_address(organisation_id=organisation_id, user_id=user_id, address=address)


def repair(organisation: Organisation) -> int:
    """Make the directory say what the organisation's people are; return how many entries were wrong."""
    with enter(organisation, actor=Actor.system("directory")):
        true = {
            address_digest(email): user_id
            for email, user_id in EmailAddress.objects.filter(
                verified=True, user__is_active=True
            ).values_list("email", "user_id")
        }
    with transaction.atomic(using="control"):
        written = {
            bytes(entry.digest): entry
            for entry in DirectoryEntry.objects.filter(organisation=organisation).select_for_update()
        }
        stale = [entry.pk for digest, entry in written.items() if true.get(digest) != entry.user_id]
        DirectoryEntry.objects.filter(pk__in=stale).delete()
        missing = [
            DirectoryEntry(digest=digest, organisation=organisation, user_id=user_id)
            for digest, user_id in true.items()
            if digest not in written or written[digest].pk in stale
        ]
        DirectoryEntry.objects.bulk_create(missing)
    return len(stale) + len([entry for entry in missing if bytes(entry.digest) not in written])
