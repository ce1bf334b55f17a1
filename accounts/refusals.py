"""What the rules about people refuse, in words for the person who asked."""

from tenants.refusals import Refusal


class InvitationSpent(Refusal):
    """The invitation was used, revoked, sent anew or is too old."""

    code = "invitation-spent"
    status = 410
    message = "This invitation does not work any more. Ask for a new one."


class OnlyForTheInvited(Refusal):
    """Somebody else is signed in here than the invitation is for."""

    code = "invitation-for-somebody-else"
    status = 403
    message = "This invitation is for another address. Sign out first, then open the link again."


class HereAlready(Refusal):
    """The address belongs to somebody who is in the organisation already."""

    code = "here-already"
    message = "This person is here already."


class InvitedMeanwhile(Refusal):
    """Somebody else invited the same address at the same moment."""

    code = "invited-meanwhile"
    message = "Somebody else has just invited this person."


class NobodyToInvite(Refusal):
    """No address was given."""

    code = "nobody-to-invite"
    status = 422
    message = "Write at least one e-mail address."


class NotAnImage(Refusal):
    """The file is not an image that we read, or is too large."""

    code = "not-an-image"
    status = 422
    message = "Choose a PNG, JPEG or WebP image of at most 5 MB."
