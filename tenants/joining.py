"""What becomes of the rows of an organisation that is joined to another one, table by table.

Each room says it for its own models, and a model without a rule is an error at start-up: a row that nobody
thought of would be lost, or would come to people who may not see it. Expressions are SQL over a row called
`r`; they may name `$staged` (the schema that the rows come from), `$moment` (when they began to come) and
`$person` (the number of the content type of people). operations.joining carries out what is said here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model


@dataclass(frozen=True, slots=True)
class Rule:
    """What becomes of the rows of one table.

    because: why no row comes; empty where rows come.
    only: condition of the rows that come. Rows that belong to one that does not come do not come either.
    put: expressions for columns that become something else.
    put_when_picked: the same, where an organisation is split and the rows were picked.
    same: expression; a row for which it is equal to a row there is that row, and does not come.
    people: columns that hold the id of a person without being keys.
    naming: condition over a person `t`: some row names them elsewhere than in such a column, or in a key.
    newcomer: the key to a person; rows come with people who were not there before, and with nobody else.
    names: columns in which two rows should not have the same, with whether it is part of an address.
    named_where: condition of the rows for which that matters.
    quietly: where the same is there already, that is enough.
    last: they come after everything else, because they open a door.
    follows: when what came is taken back, rows of this table go with what they belong to, whoever made them.
    kept_while: condition over a row `t` that came, for as long as which it is not taken back.
    """

    because: str = ""
    only: str = ""
    put: Mapping[str, str] = field(default_factory=dict)
    put_when_picked: Mapping[str, str] = field(default_factory=dict)
    same: str = ""
    people: tuple[str, ...] = ()
    naming: str = ""
    newcomer: str = ""
    names: Mapping[str, bool] = field(default_factory=dict)
    named_where: str = ""
    quietly: bool = False
    last: bool = False
    follows: bool = False
    kept_while: str = ""


_rules: dict[type[Model], Rule] = {}


def comes(*models: type[Model], rule: Rule | None = None) -> None:
    """Let the rows of these models come, as `rule` says. Saying it again replaces what was said."""
    rule = rule or Rule()
    if rule.because:
        raise ImproperlyConfigured("What comes has no reason to stay.")
    _rules.update(dict.fromkeys(models, rule))


def stays(*models: type[Model], because: str, follows: bool = False) -> None:
    """Let no row of these models come, and say why. `follows` is the rule's."""
    if not because.strip():
        raise ImproperlyConfigured("Rows stay behind for a reason.")
    _rules.update(dict.fromkeys(models, Rule(because=because, follows=follows)))


def rule_of(model: type[Model]) -> Rule:
    """Return the rule of a model; raise KeyError where nobody has said one."""
    return _rules[model]


def has_rule(model: type[Model]) -> bool:
    """Return whether somebody has said what becomes of the rows of a model."""
    return model in _rules
