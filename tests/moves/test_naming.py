"""MOV-7: what is named wrongly moves nobody, and the sentence says what was wrong."""

import pytest
from django.core.management import CommandError, call_command

from operations.models import Move
from tenants.models import Organisation


class TestNaming:
    @pytest.mark.parametrize(
        ("named", "why"),
        [
            (["{o.pk}"], "is an id"),
            (["{o.pk.hex}"], "is an id"),
            (["42"], "is an id"),
            (["{o.schema_name}"], "is a schema"),
            (["pulse", "tide"], "One organisation moves at a time; 2 were named"),
            (["pulse,tide,other"], "One organisation moves at a time; 3 were named"),
            (["pulse tide"], "One organisation moves at a time; 2 were named"),
            ([""], "One organisation moves at a time; 0 were named"),
            (["nowhere"], "no organisation at the address nowhere"),
            (["%"], "no organisation at the address %"),
        ],
    )
    def test_of_anything_but_one_address_is_refused(
        self, pulse: Organisation, named: list[str], why: str
    ) -> None:
        words = [word.format(o=pulse) for word in named]
        with pytest.raises(CommandError, match=why):
            call_command("move", *words, to="shard_2")
        assert not Move.objects.exists()

    def test_of_another_in_yes_is_refused(self, pulse: Organisation) -> None:
        with pytest.raises(CommandError, match="“tide” is not “pulse”"):
            call_command("move", "pulse", to="shard_2", yes="tide")
        assert not Move.objects.exists()
