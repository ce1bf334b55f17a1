import gzip
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.http import Http404
from django.template import engines
from django.template.loader import render_to_string
from django.test import RequestFactory

from config.ui.samples import InviteForm
from config.ui.views import PAGES
from tenants.refusals import Refusal
from tests.ui.conftest import answer

ROOT = Path(settings.BASE_DIR)
COMPONENTS = sorted(path.stem for path in (ROOT / "templates/components").glob("*.html"))
ERRORS = ["400", "403", "404", "429", "500", "503", "maintenance", "suspended", "shard_down", "refusal"]
INLINE = re.compile(
    r"<style|\sstyle=|\son(?!e=)[a-z]+=|javascript:|<script(?![^>]*\ssrc=)|hx-on|hx-vals=.js", re.IGNORECASE
)

FORM = re.compile(r"<form\b(?:[^>{]|{[^{%]|{{.*?}}|{%.*?%})*>")


def component(name: str, **inputs: object) -> str:
    return render_to_string(f"components/{name}.html", inputs)


class TestGallery:
    @pytest.mark.parametrize("page", PAGES)
    def test_no_page_has_a_script_or_style_inside(self, page: str) -> None:
        status, text, _ = answer(f"/gallery/{page}/" if page else "/gallery/")
        assert status == 200
        assert INLINE.findall(text) == []

    def test_no_template_of_the_look_has_one(self) -> None:
        for folder in ("layouts", "components", "errors", "admin"):
            for path in (ROOT / "templates" / folder).glob("*.html"):
                assert INLINE.findall(path.read_text()) == [], path

    def test_every_component_is_shown(self) -> None:
        shown = "".join(path.read_text() for path in (ROOT / "templates").rglob("*.html"))
        alone = [
            name
            for name in COMPONENTS
            if not name.startswith("gallery") and f"components/{name}.html" not in shown
        ]
        assert set(alone) <= {"edit", "errors"}

    def test_the_reference_lists_every_component(self) -> None:
        reference = (ROOT / "docs/look.md").read_text()
        missing = [
            name
            for name in COMPONENTS
            if not name.startswith("gallery") and not re.search(rf"\b{name}\b", reference)
        ]
        assert missing == []

    @pytest.mark.parametrize("digits", ["red", "12345", "1234567", "12345g"])
    def test_a_wrong_colour_has_no_stylesheet(self, digits: str) -> None:
        with pytest.raises(Http404):
            answer(f"/gallery/brand/{digits}.css")


class TestErrorPages:
    @pytest.mark.parametrize("name", ERRORS)
    def test_it_stands_without_request_frame_or_script(self, name: str) -> None:
        page = render_to_string(f"errors/{name}.html")
        assert "<h1>" in page
        assert "<script" not in page

    def test_a_refusal_is_said_in_its_own_words(self) -> None:
        for name in ("refusal", "_refusal"):
            assert "The last owner &lt;stays&gt;." in render_to_string(
                f"errors/{name}.html", {"refusal": Refusal("The last owner <stays>.")}
            )

    def test_only_a_fragment_of_a_refusal_reads_as_a_toast(self) -> None:
        assert re.match(
            r"\s*<div class=\"toast", render_to_string("errors/_refusal.html", {"refusal": "No."})
        )


class TestForms:
    def test_help_and_errors_are_tied_to_their_control(self) -> None:
        form = InviteForm({"email": "mira@"})
        field = component("field", field=form["email"])
        assert 'aria-describedby="id_email_helptext id_email_error"' in field
        assert 'id="id_email_helptext"' in field
        assert 'id="id_email_error"' in field
        assert 'aria-invalid="true"' in field

    def test_what_was_typed_is_kept(self) -> None:
        assert 'value="mira@"' in component("field", field=InviteForm({"email": "mira@"})["email"])

    @pytest.mark.parametrize(("method", "carried"), [("post", True), ("get", False)])
    def test_a_form_that_writes_carries_the_token_although_it_sees_nothing_else(
        self, method: str, carried: bool
    ) -> None:
        source = '{% include "components/form.html" with form=form label="Go" method=method only %}'
        inputs = {"form": InviteForm(), "method": method}
        page = engines["django"].from_string(source).render(inputs, RequestFactory().get("/"))
        assert bool(re.search(r'name="csrfmiddlewaretoken" value="\w{64}"', page)) is carried

    def test_none_would_put_its_token_into_an_address(self) -> None:
        """Before htmx has a form in hand, the browser sends it: without a method, as an address."""
        sources = [
            path for folder in ("templates", "*/templates") for path in ROOT.glob(f"{folder}/**/*.html")
        ]
        forms = [form for path in sources for form in FORM.findall(path.read_text())]
        sending = [form for form in forms if "hx-post" in form]
        assert len(sending) > 2
        assert [form for form in sending if 'method="' not in form or "action=" not in form] == []


class TestComponents:
    def test_a_button_with_an_address_is_a_link(self) -> None:
        assert component("button", label="Share", url="/s/").lstrip().startswith("<a ")

    def test_an_icon_alone_still_has_a_name(self) -> None:
        assert '<span class="sr">Delete</span>' in component(
            "button", label="Delete", icon="trash", square=True
        )

    def test_no_further_page_has_no_further_row(self) -> None:
        assert component("more", url="", columns=4).strip() == ""

    def test_a_job_without_a_total_has_a_bar_without_a_value(self) -> None:
        bar = component("job", job={"label": "Sealing", "running": True})
        assert re.search(r'<progress aria-label="Sealing">', bar)

    def test_jobs_ask_again_only_while_one_runs(self) -> None:
        assert "hx-get" not in component("jobs", jobs=[], jobs_url="/jobs/")
        assert "every 2s" in component("jobs", jobs=[{"label": "x"}], jobs_url="/jobs/")

    @pytest.mark.parametrize(
        ("count", "over", "words"),
        [(336776, None, "336,776 records"), (1, None, "1 record"), (None, 10000, "over 10,000 records")],
    )
    def test_a_count_says_what_is_known(self, count: int | None, over: int | None, words: str) -> None:
        assert component("count", count=count, over=over, one="record", many="records").strip() == words


class TestWeight:
    def test_styles_and_scripts_stay_small(self) -> None:
        files = [*(ROOT / "static/css").glob("*.css"), *(ROOT / "static/js").glob("*.js")]
        own = [path for path in files if path.name in OWN]
        assert {path.name for path in own} == OWN
        assert sum(len(gzip.compress(path.read_bytes())) for path in own) < 30_000
        assert sum(path.stat().st_size for path in own if path.suffix == ".js") < 30_000


OWN = {
    "base.css",
    "layout.css",
    "components.css",
    "tables.css",
    "page.js",
    "edit.js",
    "table.js",
    "columns.js",
    "drop.js",
}
