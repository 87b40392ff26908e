"""The demo team's comments on findings. Every statement about the data is true for the tables."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MISSING_VALUE_TYPES = ("null", "disguised_null")
"""The ghost types for missing values."""


class RemarkTiming(StrEnum):
    """The delivery that a remark follows."""

    SEEN = "seen"
    """The n-th delivery with the finding."""
    GONE = "gone"
    """The n-th delivery in which the finding is gone."""
    BACK = "back"
    """The n-th delivery in which the finding is back."""
    WORST = "worst"
    """The delivery with the largest share of affected rows, if that is not the first."""


@dataclass(frozen=True)
class Remark:
    """A comment.

    Attributes:
        author: The author.
        text: The text, with placeholders for values of the finding: ``{count}``, ``{share}``, ``{example}``
            (the name of an affected row), ``{value}`` (its number) and ``{remark}`` (its cell in Comments).
        when: The kind of delivery that it follows.
        nth: Which of these deliveries, from 0; -1 is the last.
        hours: The hours since that delivery.
        status: The status it sets.
        tags: The tags it adds.
    """

    author: str
    text: str
    when: RemarkTiming = RemarkTiming.SEEN
    nth: int = 0
    hours: float = 2.0
    status: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Story:
    """The thread of a finding. It ends at the first remark whose delivery does not exist."""

    dataset: str
    ghost_types: tuple[str, ...]
    column: str
    remarks: tuple[Remark, ...]


INES, JONAS, MARA, PRIYA, TOMAS = "Ines Okafor", "Jonas Weber", "Mara Lindqvist", "Priya Nair", "Tomás Rey"

MOVIES = (
    Story(
        "movies",
        MISSING_VALUE_TYPES,
        "Runtime",
        (
            Remark(
                PRIYA,
                "{count} titles without a runtime, so the filter “under two hours” loses them. "
                "Can the supplier fill these in?",
                hours=3.2,
                status="needs-investigation",
                tags=("supplier",),
            ),
            Remark(
                INES,
                "I have asked them. More than a quarter of these titles are documentaries, "
                "and most are from 2000 or later.",
                hours=26.5,
            ),
            Remark(
                INES,
                "From now on they send a title only once it has a runtime. None is empty in this delivery.",
                RemarkTiming.GONE,
                hours=1.1,
                status="fixed",
            ),
            Remark(
                TOMAS,
                "Back, and worse than before: {count} rows, {share}. "
                "It looks as if everything they held back arrived in one go.",
                RemarkTiming.BACK,
                hours=1.6,
                status="needs-investigation",
            ),
            Remark(
                INES,
                "Confirmed: they emptied the queue by mistake. "
                "Leaving this open until the numbers are down again.",
                RemarkTiming.BACK,
                hours=28.0,
            ),
            Remark(
                PRIYA,
                "{count} in this delivery, {share}: where we began. "
                "So they are neither held back nor filled in. Should we ask for a date?",
                nth=-1,
                hours=3.8,
            ),
        ),
    ),
    Story(
        "movies",
        ("outlier",),
        "Runtime",
        (
            Remark(TOMAS, "*{example}* is down with {value} minutes. A typing error?", hours=4.0),
            Remark(
                PRIYA,
                "No, I have looked it up. Short and long films both stay in; "
                "only one-digit runtimes are worth a second look.",
                hours=5.3,
                status="accepted",
                tags=("checked-by-hand",),
            ),
        ),
    ),
    Story(
        "movies",
        MISSING_VALUE_TYPES,
        "imdbRating",
        (
            Remark(TOMAS, "Empty in every single row. Did we lose the ratings?", hours=2.4),
            Remark(
                INES,
                "No: both IMDb columns are in the schema, but this extract never fills them. "
                "Nothing of ours reads them, and dropping them would break the import.",
                hours=7.0,
                status="accepted",
                tags=("upstream",),
            ),
        ),
    ),
    Story(
        "movies",
        MISSING_VALUE_TYPES,
        "imdbVotes",
        (
            Remark(
                INES,
                "Same as imdbRating: in the schema, never filled.",
                hours=7.1,
                status="accepted",
                tags=("upstream",),
            ),
        ),
    ),
    Story(
        "movies",
        MISSING_VALUE_TYPES,
        "Metacritic",
        (
            Remark(
                PRIYA,
                "A score for about four titles in ten. Is that enough to sort by?",
                nth=1,
                hours=3.0,
                tags=("scores",),
            ),
            Remark(
                TOMAS,
                "It depends on the year: about half of the 2000s have one, "
                "fewer than one in five before 1970. I would not sort old films by it.",
                nth=1,
                hours=5.5,
                status="needs-investigation",
            ),
            Remark(PRIYA, "Then the sort goes behind “2000 and later” for now.", nth=2, hours=2.2),
        ),
    ),
    Story(
        "movies",
        MISSING_VALUE_TYPES,
        "Rating",
        (
            Remark(
                PRIYA,
                "Only about one title in seven has an age rating. The page now says “not rated” "
                "instead of showing an empty badge.",
                nth=2,
                hours=6.0,
                status="reviewed",
            ),
        ),
    ),
    Story(
        "movies",
        MISSING_VALUE_TYPES,
        "Cast",
        (
            Remark(
                INES,
                "{count} rows hold an empty text where the others hold names. "
                "The loader should write null; counting actors breaks on this.",
                hours=2.9,
                status="needs-investigation",
                tags=("loader",),
            ),
            Remark(
                TOMAS,
                "Many are documentaries, which often have no cast. "
                "So the gap is real, only its spelling is wrong.",
                hours=24.0,
                status="reviewed",
            ),
        ),
    ),
    Story(
        "movies",
        ("type",),
        "Released",
        (
            Remark(TOMAS, "Text here, a date in the warehouse: we parse it on load.", nth=1, hours=4.0),
            Remark(
                INES,
                "Careful with months: about two thirds of these dates are 1 January, "
                "which only means that the year is known.",
                nth=1,
                hours=24.0,
                status="reviewed",
                tags=("schema",),
            ),
        ),
    ),
)

PASSENGERS = (
    Story(
        "passengers",
        MISSING_VALUE_TYPES,
        "age",
        (
            Remark(
                JONAS,
                "{count} passengers without an age. The clerks wrote it down only where they knew it, "
                "as far as I can see. What do we do about means?",
                hours=2.0,
                tags=("archive",),
            ),
            Remark(TOMAS, "Nothing yet: report the share next to every mean.", hours=6.0),
            Remark(
                JONAS,
                "Now {count} are missing, {share} of the delivery. We are far into third class.",
                RemarkTiming.WORST,
                hours=1.5,
                status="needs-investigation",
            ),
            Remark(
                TOMAS,
                "Over the whole list the age is known for seven in ten in first class "
                "and for fewer than half in third. Please do not impute across classes.",
                RemarkTiming.WORST,
                hours=9.0,
                tags=("do-not-impute",),
            ),
        ),
    ),
    Story(
        "passengers",
        ("constant",),
        "class",
        (
            Remark(TOMAS, "Every row has the same class. Did the import drop the others?", hours=3.1),
            Remark(
                JONAS,
                "No, the list is sorted by class. "
                "A delivery has two of them only where one ends and the next begins.",
                hours=4.4,
                status="false_positive",
                tags=("by-design",),
            ),
        ),
    ),
    Story(
        "passengers",
        ("outlier",),
        "age",
        (
            Remark(
                JONAS,
                "{example}: I have compared it with the list, the age stands there like this.",
                hours=3.0,
                status="reviewed",
                tags=("checked-by-hand",),
            ),
        ),
    ),
)

PENGUINS = (
    Story(
        "penguins",
        MISSING_VALUE_TYPES,
        "Body Mass (g)",
        (
            Remark(
                MARA,
                "Bird {example} has no measurements at all. Its record says: “{remark}”.",
                hours=1.8,
                status="needs-investigation",
            ),
            Remark(
                JONAS,
                "The entry form now asks for a second visit before a nest is sent in. Complete since then.",
                RemarkTiming.GONE,
                hours=2.5,
                status="fixed",
                tags=("entry-form",),
            ),
            Remark(
                MARA,
                "There it is again, bird {example}: “{remark}”. The form did not ask.",
                RemarkTiming.BACK,
                hours=2.1,
                status="needs-investigation",
            ),
            Remark(
                JONAS,
                "It asked, but the bird was gone. One in about 170 is what the field gives us; "
                "I would accept it.",
                RemarkTiming.BACK,
                hours=5.0,
            ),
            Remark(MARA, "Agreed.", RemarkTiming.BACK, hours=25.5, status="accepted"),
        ),
    ),
    Story(
        "penguins",
        MISSING_VALUE_TYPES,
        "Delta 15 N (o/oo)",
        (
            Remark(MARA, "{count} birds without isotopes. Lost at the lab?", hours=2.2, tags=("isotopes",)),
            Remark(
                JONAS,
                "Their records explain it, {example} for one: “{remark}”. The lab cannot repeat those.",
                hours=8.0,
                status="reviewed",
            ),
            Remark(
                MARA,
                "Larger samples since last week, and every bird has a value now.",
                RemarkTiming.GONE,
                nth=-1,
                hours=1.9,
                status="fixed",
            ),
            Remark(
                TOMAS,
                "One again, {example}, and this time the record says: “{remark}”. "
                "Who is in touch with the lab?",
                RemarkTiming.BACK,
                nth=-1,
                hours=3.4,
            ),
        ),
    ),
    Story(
        "penguins",
        MISSING_VALUE_TYPES,
        "Sex",
        (
            Remark(
                MARA,
                "{count} birds without a sex. It comes from the blood sample, "
                "and the record of {example} says: “{remark}”.",
                hours=2.6,
                status="accepted",
                tags=("field",),
            ),
        ),
    ),
    Story(
        "penguins",
        MISSING_VALUE_TYPES,
        "Comments",
        (
            Remark(TOMAS, "Can we drop this column? It is nearly empty.", nth=1, hours=2.0),
            Remark(
                MARA,
                "Please keep it. It is filled only when something went wrong, "
                "and then it is the one place that says what.",
                nth=1,
                hours=3.5,
                status="false_positive",
                tags=("by-design",),
            ),
        ),
    ),
    Story(
        "penguins",
        ("constant",),
        "Species",
        (
            Remark(
                MARA,
                "Records come species by species, so most deliveries have one only.",
                hours=4.0,
                status="false_positive",
                tags=("by-design",),
            ),
        ),
    ),
    Story(
        "penguins",
        ("constant",),
        "Region",
        (
            Remark(
                JONAS,
                "All study sites lie in Anvers. We keep the column for the day there is a second region.",
                nth=2,
                hours=3.0,
                status="accepted",
            ),
        ),
    ),
)

STORIES = MOVIES + PASSENGERS + PENGUINS
