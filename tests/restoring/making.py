"""Makes organisations in the installation of the environment and prints slug, alias and schema."""

import sys

import django


def main() -> None:
    """Make as many as the first word says, and two operators."""
    django.setup()
    for row in make(int(sys.argv[1])):
        print(*row)  # noqa: T201  # read by the tests


def make(count: int) -> list[tuple[str, str, str]]:
    """Make organisations on both shards in turn; return slug, alias and schema of each."""
    from accounts.identity.models import User
    from operations.actions.provisioning import Wish, provision
    from tenants.context import Actor, control_plane, enter
    from tests.rooms.gear.models import Speaker

    with control_plane():
        for email in ("one@operators.example", "two@operators.example"):
            User.objects.create(email=email, name=email, is_staff=True, is_active=True)
    rows = []
    for number in range(count):
        slug = f"org-{number}"
        alias = f"shard_{number % 2 + 1}"
        made = provision(Wish(slug, slug, f"o@{slug}.example", "Owner", None, alias))
        with enter(made, actor=Actor.system("test")):
            Speaker.objects.create(name=f"tower {number}", serial="1")
        rows.append((slug, alias, str(made.schema_name)))
    return rows


if __name__ == "__main__":
    main()
