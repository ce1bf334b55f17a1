"""What the pages of design say about types and icons."""

from dataclasses import dataclass

from records.models.field import UNIQUE_TYPES
from records.values import FieldType


@dataclass(frozen=True, slots=True)
class TypeWords:
    """One type as the picker shows it."""

    type: FieldType
    words: str
    example: str

    @property
    def value(self) -> str:
        """The code that the form sends."""
        return self.type.value

    @property
    def label(self) -> str:
        """The name of the type."""
        return self.type.label


TYPES = (
    TypeWords(FieldType.TEXT, "Some words on one line", "Blue Hall"),
    TypeWords(FieldType.LONG_TEXT, "Paragraphs, such as notes", "Doors at seven. …"),
    TypeWords(FieldType.INTEGER, "Counting, without a fraction", "1,240"),
    TypeWords(FieldType.DECIMAL, "Measuring, with a fraction", "3.75"),
    TypeWords(FieldType.MONEY, "An amount in one currency", "€ 48.00"),
    TypeWords(FieldType.YES_NO, "A question with two answers", "Yes"),
    TypeWords(FieldType.DATE, "A day", "14 Mar 2026"),
    TypeWords(FieldType.TIME, "A time without a day", "19:30"),
    TypeWords(FieldType.DATETIME, "A moment", "14 Mar 2026, 19:30"),
    TypeWords(FieldType.CHOICE, "One of a list that you write", "Confirmed"),
    TypeWords(FieldType.CHOICES, "Any of a list that you write", "Jazz, Blues"),
    TypeWords(FieldType.EMAIL, "Where to write to somebody", "box@hall.example"),
    TypeWords(FieldType.LINK, "An address on the web", "https://hall.example"),
    TypeWords(FieldType.PERSON, "Somebody of the organisation", "Ada Okafor"),
    TypeWords(FieldType.RECORD, "A record of another collection", "the venue of an event"),
    TypeWords(FieldType.FILE, "A document or a picture", "plan.pdf"),
)
# Which parts of the form belong to which types, as classes that the style sheet knows.
CAN_BE_UNIQUE = frozenset(UNIQUE_TYPES)
WITH_CHOICES = frozenset({FieldType.CHOICE, FieldType.CHOICES})

ICONS = (
    "table-cells", "building-office-2", "building-storefront", "home-modern", "map-pin",
    "globe-europe-africa", "calendar-days", "clock", "ticket", "musical-note", "microphone", "camera",
    "user", "user-group", "identification", "phone", "envelope", "chat-bubble-left-right", "truck",
    "paper-airplane", "archive-box", "cube", "wrench-screwdriver", "cpu-chip", "banknotes",
    "shopping-cart", "document-text", "folder", "book-open", "academic-cap", "chart-bar", "signal",
    "cloud", "sun", "bolt", "beaker", "heart", "star", "flag", "tag", "key", "shield-check",
)  # fmt: skip
