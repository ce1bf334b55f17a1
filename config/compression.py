"""Pages travel compressed: fifty records are ten times smaller then."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware


class PagesGZipMiddleware(GZipMiddleware):
    """Django's, for pages and fragments alone; files and results are sent as they lie.

    What was typed and the token of a form stand in the same page, so Django adds bytes of a random
    number to each answer: its length tells nothing. The token is masked anew each time as well.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Compress an answer that is a page."""
        if response.streaming or not response.headers.get("Content-Type", "").startswith("text/html"):
            return response
        return super().process_response(request, response)
