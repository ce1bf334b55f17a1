"""Makes one organisation on the first shard, with a few rows and a collection, and prints its schema."""

import sys

import django


def main() -> None:
    """Make it."""
    django.setup()
    from operations.actions.provisioning import Wish, provision
    from tenants.context import Actor, enter
    from tests.rooms.gear.models import Speaker

    slug = sys.argv[1]
    made = provision(Wish(slug, slug.title(), f"o@{slug}.example", "Owner", None, "shard_1"))
    with enter(made, actor=Actor.system("test")):
        Speaker.objects.bulk_create(
            [Speaker(name=f"tower {n}", serial=f"first-{n}", watts=n) for n in range(500)]
        )
    print(made.schema_name)  # noqa: T201  # read by the tests


if __name__ == "__main__":
    main()
