"""Makes organisations in the installation of the environment and prints slug, alias and schema."""

import sys

import django


def main() -> None:
    """Make as many as the first word says, on both shards in turn."""
    django.setup()
    from operations.actions.provisioning import Wish, provision
    from tenants.context import Actor, enter
    from tests.rooms.gear.models import Speaker

    for number in range(int(sys.argv[1])):
        slug = f"org-{number}"
        alias = f"shard_{number % 2 + 1}"
        made = provision(Wish(slug, slug, f"o@{slug}.example", "Owner", None, alias))
        with enter(made, actor=Actor.system("test")):
            Speaker.objects.create(name=f"tower {number}", serial="1")
        print(slug, alias, made.schema_name)  # noqa: T201  # read by the tests


if __name__ == "__main__":
    main()
