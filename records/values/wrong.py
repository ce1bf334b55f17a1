"""Why a value cannot be kept, in words a person can act on."""


class Wrong(ValueError):
    """A value does not fit its field. `str()` tells the person what to type instead.

    The message speaks of the value and the rule only, never of another record.
    """
