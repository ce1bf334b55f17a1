"""What the trail captures of this room, and the codes of what people do with their accounts."""

from allauth.mfa.models import Authenticator

from accounts.identity.models import Session, User
from accounts.models import Invitation, OrganisationAnswer, OrganisationProfile
from audit.codes import declare
from audit.labels import describe
from audit.registry import trail

trail.exclude(Session, reason="Changes with every visit; signing in and out are events of their own.")
# `data` holds the secret and the last code used: it changes with each sign-in and is never shown.
trail.register(Authenticator, exclude_fields=["last_used_at", "data"], subject="user")
trail.register(Invitation, mask_fields=["token_hash"], personal=["email"], subject="accepted_by")
trail.register(OrganisationProfile, exclude_fields=["logo"])
trail.register(OrganisationAnswer)

describe(User, kind=("person", "people"))
describe(Authenticator, kind=("second step", "second steps"))
describe(OrganisationProfile, kind=("look and settings of", "looks and settings"))
describe(OrganisationAnswer, kind=("answer to", "answers to"))

declare("sign_in.done", sentence="{actor} signed in", label="Signed in", about=User)
declare("sign_in.ended", sentence="{actor} signed out", label="Signed out", about=User)
declare(
    "sign_in.step_failed",
    sentence="{actor} gave a wrong code for {target}",
    label="Second step failed",
    about=User,
)
declare("password.changed", sentence="{actor} changed the password of {target}", about=User)
declare("address.changed", sentence="{actor} changed the e-mail address of {target}", about=User)
declare("second_step.added", sentence="{actor} added {kind} as a second step", about=User)
declare("second_step.removed", sentence="{actor} removed {kind} as a second step", about=User)
declare("second_step.recovery_code_used", sentence="{actor} used a recovery code", about=User)
declare("session.ended", sentence="{actor} signed {target} out elsewhere", about=User)

declare("invitation.sent", sentence="{actor} invited {address} as {role}", label="Invited", about=Invitation)
declare("invitation.resent", sentence="{actor} invited {address} again", about=Invitation)
declare("invitation.revoked", sentence="{actor} took the invitation of {address} back", about=Invitation)
declare("invitation.accepted", sentence="{actor} let {address} in by an invitation", about=User)
