"""Pages of sign-in where allauth's own are not enough."""

from typing import Any

from allauth.account.views import ConfirmEmailView
from django.core.signing import BadSignature
from django.http import Http404

from accounts.links import unbind


class ConfirmAddressView(ConfirmEmailView):  # type: ignore[misc]  # allauth has no types
    """The page behind the link that verifies an address; the link opens at its own organisation only."""

    def get_object(self, queryset: Any = None) -> Any:
        try:
            self.kwargs["key"] = unbind(self.kwargs["key"])
        except BadSignature:
            raise Http404 from None
        return super().get_object(queryset)


confirm_address = ConfirmAddressView.as_view()
