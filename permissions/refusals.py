"""What the rules about rights refuse, in words for the person who asked."""

from tenants.refusals import Refusal


class NotAllowed(Refusal):
    """The person lacks the permission that the action needs."""

    code = "not-allowed"
    status = 403
    message = "Your role does not allow this."


class LastOwner(Refusal):
    """The organisation would be left without an owner."""

    code = "last-owner"
    message = "An organisation needs an owner. Make somebody else an owner first."


class AboveYou(Refusal):
    """The person or role stands higher than the one who acts."""

    code = "above-you"
    status = 403
    message = "This is decided by somebody with a higher role than yours."


class NotYourself(Refusal):
    """Somebody tried to raise or reactivate themself."""

    code = "not-yourself"
    status = 403
    message = "Nobody can raise their own role. Ask somebody with a higher one."


class MoreThanYouHold(Refusal):
    """Somebody tried to give what they do not hold."""

    code = "more-than-you-hold"
    status = 403
    message = "You can only give what you may do yourself."


class LongerThanYouHold(Refusal):
    """Somebody tried to give access for longer than their own lasts."""

    code = "longer-than-you-hold"
    status = 403
    message = "Your own access ends before that. Choose an earlier end."


class NotAMember(Refusal):
    """The person does not belong to the organisation at that time."""

    code = "not-a-member"
    message = "This person does not belong to the organisation at the moment."


class AlreadyThere(Refusal):
    """What was asked for is so already."""

    code = "already-there"
    message = "This is so already."


class Deactivated(Refusal):
    """The person has been deactivated."""

    code = "deactivated"
    message = "This person is deactivated. Reactivate them first."


class NameTaken(Refusal):
    """Another group or role has the name."""

    code = "name-taken"
    message = "Another one has this name. Choose a different name."


class NameMissing(Refusal):
    """A group or role needs a name."""

    code = "name-missing"
    message = "Give it a name."


class BuiltIn(Refusal):
    """A built-in role was to be changed or deleted."""

    code = "built-in"
    message = "This role comes with Enclave and stays as it is. Make a role of your own instead."


class RoleInUse(Refusal):
    """A role that people have was to be deleted without saying what they get instead."""

    code = "role-in-use"
    message = "People have this role. Choose which role they get instead."


class Retired(Refusal):
    """A deleted role was to be given or changed."""

    code = "role-retired"
    message = "This role has been deleted. Choose another one."


class NotGrantable(Refusal):
    """The permission cannot be given on this kind of object."""

    code = "not-grantable"
    message = "This cannot be shared in this way."


class EndsTooEarly(Refusal):
    """A period would end before it begins."""

    code = "ends-too-early"
    message = "The end must lie after the beginning."
