"""What the gallery shows: invented, in the shapes that page authors hand to the components."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.urls import reverse_lazy
from django.utils import timezone

NIGHT = datetime(2026, 11, 14, 22, 42, 10, tzinfo=UTC)


class InviteForm(forms.Form):
    """Every kind of control once."""

    email = forms.EmailField(label="E-mail", help_text="An invitation goes to this address and works once.")
    role = forms.ChoiceField(
        label="Role", choices=[("member", "Member"), ("admin", "Admin"), ("guest", "Guest")]
    )
    until = forms.DateField(
        label="Until",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Access ends by itself.",
    )
    groups = forms.MultipleChoiceField(
        label="Groups",
        choices=[("door", "Door"), ("bar", "Bar"), ("stage", "Stage")],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    note = forms.CharField(label="Note", required=False, widget=forms.Textarea(attrs={"rows": 3}))
    remind = forms.BooleanField(
        label="Remind after three days", required=False, help_text="Only while it is not accepted."
    )

    def clean(self) -> dict[str, Any]:
        """Refuse one address as a whole, so that the gallery can show it."""
        cleaned = super().clean() or {}
        if cleaned.get("role") == "guest" and not cleaned.get("until"):
            raise forms.ValidationError("Guests need an end date.")
        return cleaned


@dataclass(frozen=True, slots=True)
class Reading:
    """One row of the drawing."""

    band: str
    zone: str
    at: datetime
    energy: int
    steps: int
    signal: str
    track: str
    picked: bool

    @property
    def tone(self) -> str:
        return "ok" if self.signal == "Good" else "warn"


def readings() -> list[Reading]:
    """The rows of the drawing, three times over so that there is something to scroll."""
    rows = [
        ("WB-40113", "Front left", 0, 97, 148, "Good", "Glass Parade"),
        ("WB-11872", "Front left", 1, 94, 151, "Good", "Glass Parade"),
        ("WB-30996", "Bar", 1, 71, 38, "Weak", "Glass Parade"),
        ("WB-20417", "Balcony", 2, 83, 96, "Good", "Glass Parade"),
        ("WB-00731", "Front right", 2, 91, 144, "Good", ""),
        ("WB-44120", "Floor", 3, 88, 132, "Good", "Glass Parade"),
        ("WB-29004", "Floor", 3, 79, 121, "Weak", "Glass Parade"),
        ("WB-16630", "Front left", 4, 95, 149, "Good", "Glass Parade"),
        ("WB-35518", "Balcony", 5, 74, 64, "Good", "Glass Parade"),
    ]
    return [
        Reading(
            band,
            zone,
            NIGHT - timedelta(seconds=ago + 9 * turn),
            energy,
            steps,
            signal,
            track,
            turn == 0 and at < 2,
        )
        for turn in range(3)
        for at, (band, zone, ago, energy, steps, signal, track) in enumerate(rows)
    ]


def frame(current: str = "Crowd readings") -> dict[str, Any]:
    """The frame of an organisation with everything in it."""

    def item(label: str, icon: str, count: int | None = None) -> dict[str, Any]:
        return {"label": label, "icon": icon, "count": count, "url": "#", "current": label == current}

    return {
        "organisation": {"name": "Pulse Nights", "mark": "P", "logo_url": ""},
        "brand_url": "",
        "nav": [
            {"label": "", "items": [item("Home", "home")]},
            {
                "label": "Collections",
                "items": [
                    item("Venues", "building-storefront", 14),
                    item("Events", "ticket", 212),
                    item("Wristbands", "identification", 48_000),
                    item("Crowd readings", "signal", 1_204_318),
                    item("New collection", "plus"),
                ],
            },
            {"label": "Understand", "items": [item("Reports", "chart-bar")]},
            {
                "label": "Organisation",
                "items": [
                    item("People", "users"),
                    item("Sharing", "share"),
                    item("Trail", "list-bullet"),
                    item("Integrations", "puzzle-piece"),
                    item("Settings", "cog-6-tooth"),
                ],
            },
        ],
        "person": {"name": "Mira Okafor", "role": "Owner", "url": "#"},
        "organisations_url": "#",
        "jobs_url": "",
        "jobs": [job()],
        "sign_out_url": "#",
    }


def job() -> dict[str, Any]:
    """An import under way."""
    return {
        "label": "Importing night-14.csv",
        "running": True,
        "state_label": "Running",
        "tone": "info",
        "done": 212_400,
        "total": 336_776,
        "rate": 31_400,
        "left": 4,
        "note": "",
        "url": "#",
        "cancel_url": "#",
    }


def entries() -> list[dict[str, Any]]:
    """A little history."""
    now = timezone.now()
    return [
        {
            "sentence": "Mira Okafor changed the energy of WB-40113",
            "at": now - timedelta(minutes=4),
            "details": [
                {"label": "Energy", "before": "79", "after": "97"},
                {"label": "Zone", "before": "", "after": "Front left"},
            ],
        },
        {
            "sentence": "Jonas Lind shared it with the group Door",
            "at": now - timedelta(hours=5),
            "note": "Until 1 Dec 2026",
        },
        {"sentence": "Added by the import of night-14.csv", "at": NIGHT},
    ]


def facts() -> list[dict[str, Any]]:
    """A record's fields in reading order."""
    return [
        {"label": "Wristband", "value": "WB-40113", "edit_url": reverse_lazy("ui:edit")},
        {"label": "Zone", "kind": "choice", "value": "Front left", "edit_url": reverse_lazy("ui:edit")},
        {"label": "Time", "kind": "datetime", "value": NIGHT},
        {"label": "Energy", "kind": "progress", "value": 97, "edit_url": reverse_lazy("ui:edit")},
        {"label": "Signal", "kind": "state", "value": "Good", "tone": "ok"},
        {"label": "Event", "kind": "record", "value": "Warehouse 14", "url": "#"},
        {"label": "Tags", "kind": "choices", "value": ["Peak", "Encore", "Sold out", "Guest list"]},
        {"label": "Track", "kind": "text", "value": None},
        {
            "label": "Note",
            "value": "The floor moved as one from the second drop on; the balcony followed a minute later.",
            "edit_url": reverse_lazy("ui:edit"),
        },
    ]
