"""Who can sign in: the people of an organisation in its schema, the operators in the control plane."""

from accounts.identity.models.session import Session
from accounts.identity.models.user import User, UserManager

__all__ = ["Session", "User", "UserManager"]
