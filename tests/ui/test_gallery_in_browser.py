from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.template.loader import render_to_string
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
Open = Callable[..., Page]
PAGES = ["", "records/", "record/", "empty/", "sign-in/", "public/"]


def faults(page: Page, *rules: str) -> list[Any]:
    """What axe calls serious or critical by all of its rules or by some, with where it is."""
    found = Axe().run(
        page, options={"resultTypes": ["violations"], **({"runOnly": [*rules]} if rules else {})}
    )
    return [
        (fault["id"], [node["html"][:120] for node in fault["nodes"]])
        for fault in found.response["violations"]
        if fault["impact"] in ("serious", "critical")
    ]


class TestAccessibility:
    @pytest.mark.parametrize("path", PAGES)
    def test_a_page_has_no_serious_fault(self, open_page: Open, path: str) -> None:
        page = open_page(path)
        assert faults(page) == []
        page.set_viewport_size({"width": 390, "height": 860})
        page.emulate_media(color_scheme="dark")
        assert faults(page) == []

    @pytest.mark.nightly
    @pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
    @pytest.mark.parametrize("width", [1280, 800, 390])
    @pytest.mark.parametrize("path", PAGES)
    def test_nor_at_any_width_and_scheme(self, open_page: Open, path: str, width: int, dark: bool) -> None:
        assert faults(open_page(path, width=width, dark=dark)) == []

    @pytest.mark.parametrize("digits", ["ffff00", "000000", "e11d48"])
    def test_a_difficult_colour_can_be_read(self, open_page: Open, digits: str) -> None:
        page = open_page(f"records/?brand={digits}")
        assert faults(page, "color-contrast") == []
        page.emulate_media(color_scheme="dark")
        assert faults(page, "color-contrast") == []

    def test_nor_has_an_open_dialog(self, open_page: Open) -> None:
        page = open_page()
        page.click("text=Delete for ever")
        assert faults(page) == []

    @pytest.mark.parametrize("path", PAGES)
    def test_nothing_is_wider_than_a_telephone(self, open_page: Open, path: str) -> None:
        page = open_page(path, width=360)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        main = "document.querySelector('main')"
        assert page.evaluate(f"{main}.scrollWidth <= {main}.clientWidth + 1")


class TestKeys:
    def test_j_and_k_move_and_x_picks(self, open_page: Open) -> None:
        page = open_page("records/")
        page.keyboard.press("j")
        page.keyboard.press("j")
        expect(page.locator("tbody tr:nth-child(2) th a")).to_be_focused()
        page.keyboard.press("x")
        expect(page.locator("[data-picked]")).to_have_text("1 selected")
        page.keyboard.press("k")
        expect(page.locator("tbody tr:nth-child(1) th a")).to_be_focused()

    def test_slash_searches_and_question_mark_shows_the_keys(self, open_page: Open) -> None:
        page = open_page("records/")
        page.keyboard.press("?")
        expect(page.locator("#keys")).to_be_visible()
        page.keyboard.press("Escape")
        page.keyboard.press("/")
        expect(page.locator("[data-search]")).to_be_focused()
        page.keyboard.type("?/jx")
        expect(page.locator("[data-search]")).to_have_value("?/jx")

    def test_e_edits_in_place_and_escape_gives_up(self, open_page: Open) -> None:
        page = open_page("records/")
        cell = page.locator("tbody tr:nth-child(1) td[data-edit]").first
        page.keyboard.press("j")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("e")
        expect(cell.locator("input[type=email]")).to_be_focused()
        page.keyboard.press("Escape")
        expect(cell).to_have_text("Front left")
        expect(cell).to_be_focused()

    def test_a_row_opens_beside_the_list_and_escape_closes_it(self, open_page: Open) -> None:
        page = open_page("records/")
        page.click("tbody tr:nth-child(3) th a")
        expect(page.locator("#panel h2").first).to_have_text("WB-30996")
        page.keyboard.press("Escape")
        expect(page.locator("#panel")).to_be_hidden()

    def test_a_row_opens_as_a_page_on_a_narrow_screen(self, open_page: Open) -> None:
        page = open_page("records/", width=390)
        page.click("tbody tr:nth-child(3) th a")
        expect(page).to_have_url("http://gallery.test/gallery/panel/")


def start_edit(page: Page) -> None:
    for key in ("j", "ArrowRight", "e"):
        page.keyboard.press(key)
    expect(page.locator("form[data-inline] input[type=email]")).to_be_focused()
    page.keyboard.type("ada@pulse.example")


class TestSaving:
    def test_enter_saves_with_the_token_of_the_page(self, open_page: Open) -> None:
        page = open_page("records/")
        start_edit(page)
        page.route(
            "**/edit/", lambda route: route.fulfill(status=200, body="Saved value", content_type="text/html")
        )
        with page.expect_request("**/edit/") as sent:
            page.keyboard.press("Enter")
        token = page.locator("meta[name=csrf-token]").get_attribute("content")
        assert sent.value.method == "POST"
        assert sent.value.headers["x-csrftoken"] == token
        expect(page.locator("tbody tr:nth-child(1) td[data-edit]").first).to_have_text("Saved value")

    def test_leaving_saves_too(self, open_page: Open) -> None:
        page = open_page("records/")
        start_edit(page)
        page.route("**/edit/", lambda route: route.fulfill(status=200, body="Left", content_type="text/html"))
        page.locator("[data-search]").focus()
        expect(page.locator("tbody tr:nth-child(1) td[data-edit]").first).to_have_text("Left")

    def test_a_refusal_is_a_toast_and_the_edit_stays(self, open_page: Open) -> None:
        page = open_page("records/")
        start_edit(page)
        refusal = render_to_string("errors/_refusal.html", {"refusal": "This record is locked."})
        page.route(
            "**/edit/", lambda route: route.fulfill(status=413, body=refusal, content_type="text/html")
        )
        page.keyboard.press("Enter")
        expect(page.locator("#toasts .toast.error")).to_contain_text("This record is locked.")
        expect(page.locator("form[data-inline] input[type=email]")).to_have_value("ada@pulse.example")

    def test_more_rows_come_when_the_end_is_seen(self, open_page: Open) -> None:
        page = open_page("records/")
        expect(page.locator("tbody .pick input")).to_have_count(27)
        page.locator(".more").scroll_into_view_if_needed()
        expect(page.locator("tbody .pick input")).to_have_count(54)
        expect(page.locator(".more")).to_have_count(0)


class TestColumns:
    def test_hidden_moved_and_sized_columns_are_remembered(self, open_page: Open) -> None:
        page = open_page("records/")
        page.click("text=Columns")
        page.uncheck("#columns li:nth-child(3) input")
        page.click("#columns li:nth-child(1) button >> nth=1")
        page.keyboard.press("Escape")
        box = page.locator("th[data-column=steps] .grip").bounding_box()
        assert box
        page.mouse.move(box["x"] + 4, box["y"] + 5)
        page.mouse.down()
        page.mouse.move(box["x"] + 84, box["y"] + 5)
        page.mouse.up()
        width = page.locator("th[data-column=steps]").evaluate("head => head.offsetWidth")
        page.reload()
        names = page.locator("thead th[data-column]").evaluate_all(
            "all => all.map(head => head.dataset.column)"
        )
        assert names == ["band", "at", "zone", "energy", "steps", "signal", "track"]
        expect(page.locator("th[data-column=energy]")).to_be_hidden()
        expect(page.locator("tbody tr:first-child td").nth(2)).to_have_text("Front left")
        assert page.locator("th[data-column=steps]").evaluate("head => head.offsetWidth") == width

    def test_a_storage_with_rubbish_changes_nothing(self, open_page: Open) -> None:
        page = open_page("records/")
        page.evaluate("localStorage.setItem('enclave.columns.readings', '{broken')")
        page.reload()
        expect(page.locator("thead th[data-column]").first).to_have_text("Wristband")


class TestDialogs:
    def test_the_button_opens_when_the_name_is_typed(self, open_page: Open) -> None:
        page = open_page()
        page.click("text=Delete for ever")
        button = page.locator("#gone button.danger")
        expect(button).to_be_disabled()
        page.fill("#gone_name", "Events")
        expect(button).to_be_enabled()

    def test_the_drawer_opens_without_scripts(self, open_page: Open) -> None:
        page = open_page("records/", width=390, scripts=False)
        expect(page.locator("#side")).to_be_hidden()
        page.click(".menu-button")
        expect(page.locator("#side")).to_be_visible()


class TestWithoutScripts:
    def test_ticking_a_row_shows_what_can_be_done(self, open_page: Open) -> None:
        page = open_page("records/", scripts=False)
        for row in (0, 1):
            page.locator("tbody .pick input").nth(row).uncheck()
        expect(page.locator(".selection b")).to_be_hidden()
        page.locator("tbody .pick input").nth(4).check()
        expect(page.locator(".selection b")).to_be_visible()

    def test_a_file_can_still_be_chosen_and_sent(self, open_page: Open) -> None:
        page = open_page("empty/", scripts=False)
        expect(page.locator("#first")).to_be_visible()
        expect(page.locator("[data-drop-send]")).to_be_enabled()


class TestDropZone:
    def test_a_file_that_breaks_off_is_told(self, open_page: Open) -> None:
        page = open_page("empty/")
        page.route("**/gallery/", lambda route: route.fulfill(status=413, body=""))
        with page.expect_response("**/gallery/"):
            page.set_input_files("#first", {"name": "a.csv", "mimeType": "text/csv", "buffer": b"a,b\n1,2\n"})
        expect(page.locator("[data-drop-error]")).to_have_text("This file is too large.")
        page.unroute("**/gallery/")
