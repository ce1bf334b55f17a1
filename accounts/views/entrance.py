"""Pages of sign-in where allauth's own are not enough."""

from typing import Any

from allauth.account.views import ConfirmEmailView, LogoutView
from django.core.signing import BadSignature
from django.http import Http404, HttpResponse

from accounts.links import unbind


class ConfirmAddressView(ConfirmEmailView):  # type: ignore[misc]  # allauth has no types
    """The page behind the link that verifies an address; the link opens at its own organisation only."""

    def get_object(self, queryset: Any = None) -> Any:
        try:
            self.kwargs["key"] = unbind(self.kwargs["key"])
        except BadSignature:
            raise Http404 from None
        return super().get_object(queryset)


class SignOutView(LogoutView):  # type: ignore[misc]  # allauth has no types
    """Signing out, which also empties what the browser has kept of this host.

    The session's cookie is ended by name. "cookies" is not asked for, because browsers would clear those
    of all organisations on our domain.
    """

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().post(*args, **kwargs)
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response


confirm_address = ConfirmAddressView.as_view()
sign_out = SignOutView.as_view()
