"""The codes of this room."""

from audit.codes import declare


def declare_all() -> None:
    """Declare what operators' work on the whole of an organisation leaves in its trail."""
    declare(
        "organisation.move_started",
        sentence="{actor} began to move this organisation from {source} to {target}",
        label="Move begun",
    )
    declare(
        "organisation.move_compared",
        sentence="{actor} compared this organisation on {source} with its copy on {target}, as of here",
        label="Move compared",
    )
    declare(
        "organisation.move_closed",
        sentence="{actor} closed this organisation on {source}: what follows is written on {target}",
        label="Move closed the old place",
    )
    declare(
        "organisation.moved",
        sentence="{actor} moved this organisation from {source} to {target}",
        label="Organisation moved",
    )
    declare(
        "organisation.move_reverted",
        sentence="{actor} took back the move from {source} to {target}: {why}",
        label="Move taken back",
    )
    declare(
        "organisation.restored",
        sentence="{actor} brought the organisation back to how it was at {to}",
        label="Brought back to an earlier time",
    )
    declare(
        "organisation.restore_undone",
        sentence="{actor} undid bringing the organisation back",
        label="Bringing back undone",
    )
    declare(
        "organisation.returned",
        sentence="{actor} brought the organisation back from its export of {export_of}",
        label="Came back from an export",
    )
    declare(
        "organisation.export_asked",
        sentence="{actor} asked for an export of everything",
        label="Export asked for",
    )
    declare(
        "organisation.export_fetched",
        sentence="{actor} fetched an export of everything",
        label="Export fetched",
    )
    declare(
        "organisation.absorbed_into",
        sentence="{actor} made this organisation a part of {into}",
        label="Became part of another organisation",
    )
    declare(
        "organisation.absorbed",
        sentence="{actor} made {name} a part of this organisation",
        label="Another organisation became part of it",
    )
    declare(
        "organisation.absorbing_undone",
        sentence="{actor} undid making {name} a part of this organisation",
        label="Another organisation is no part of it any more",
    )
    declare(
        "organisation.came_apart",
        sentence="{actor} undid making this organisation a part of {into}",
        label="Became an organisation of its own again",
    )
    declare(
        "organisation.split_asked",
        sentence="{actor} asked for {name} to be split off from this organisation",
        label="Split asked for",
    )
    declare(
        "organisation.split_taken_back",
        sentence="{actor} took back that {name} be split off from this organisation",
        label="Split taken back",
    )
    declare(
        "organisation.split",
        sentence="{actor} split {name} off from this organisation, as of {since}",
        label="A part became an organisation of its own",
    )
    declare(
        "organisation.split_off",
        sentence="{actor} split this organisation off from {name}, as of {since}",
        label="Split off from another organisation",
    )
    declare(
        "organisation.split_undone",
        sentence="{actor} undid splitting {name} off from this organisation",
        label="Split undone",
    )
    declare(
        "organisation.stays_apart",
        sentence="{actor} gave up making this organisation a part of {into}",
        label="Did not become part of another organisation",
    )
