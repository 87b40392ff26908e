"""Who a finding is: fingerprint v1, and the ids that earlier versions gave.

The same check failing on the same column of the same dataset is the same finding next week,
whatever its counts say. Everything a team adds hangs on this id.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from lavendertown import codec
from lavendertown.models import GhostFinding

PREFIX = "f1-"
_NUMBER = re.compile(r"[+-]?\d+(?:[.,\u00a0\u202f']\d+)*(?:[eE][+-]?\d+)?(?:\s?%)?")

# Limits, accepted values and a tenant's UUID belong to a check, and such texts have always hung on their
# masked numbers alone. Hence each pattern asks for the words that make its numbers a count, an execution,
# a list of rows or of examples. Repetitions are bounded or possessive, so that time grows with the text.
_HEX = r"\b(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{8,128})(?![\w-])"
_LONG_HEX = re.compile("[0-9a-fA-F]{8}")
_RUN = re.compile(
    r"\b((?:run|batch|invocation|execution|session|trace|request|scan|attempt|snapshot|build|transaction)s?"
    rf"(?:[ _-]?(?:id|uuid))?[\s:=#/'\"(\[]{{1,4}}){_HEX}",
    re.IGNORECASE,
)
_DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6}"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}"
_TIME = re.compile(
    rf"\b(?<!before )(?<!after )(?<!since )(?<!until )(?:{_DAY},? )?(?:\d\d? {_MONTH}|{_MONTH} {{1,2}}\d\d?)"
    r"(?=,?(?: \d{4})?,?(?: at)? \d\d?:\d\d)"
)
_CASES = re.compile(r"\b(failure cases:|contains (?:null|duplicate) values:).+", re.DOTALL)
_CUT = r"(?:,? ?(?:\.\.\.|…))?"
_ROWS = re.compile(
    r"\b((?:rows|records|lines|indices|indexes|index|positions)(?: (?:numbers|indices|positions|ids))?[:=]?"
    rf" ?)(?:([\[({{])\d++(?:, ?\d++)++{_CUT}([\])}}])|\d++(?:(?:, |,? and )\d++(?! more\b))++{_CUT}"
    r"(?=,? and \d++ more|\s*(?:[;:)\]]|\.(?!\d)|$)| (?:are|were|have|hold|contain|fail|of|in)\b)"
    r")(?:,? \(?and \d++ more\)?)?",
    re.IGNORECASE,
)
_ITEM = (
    rf"(?:'[^'\n]{{0,120}}'|\"[^\"\n]{{0,120}}\"|`[^`\n]{{0,120}}`|“[^”\n]{{0,120}}”|{_HEX}"
    r"|[A-Za-z]{0,8}[-_]?[+-]?\d(?:[\w:/+-]|[.,](?=\d))*+(?:\s?%)?)(?!\s?:)"
)
_EXAMPLES = re.compile(
    r"((?:\be\.g\.|\bfor (?:example|instance)|\bsuch as|\bthe cell"
    r"|\b(?:examples|samples|sample values"
    r"|(?:unexpected|offending|failing|invalid|unknown|illegal) [\w ]{2,40})(?=:))[:,]? ?"
    rf"[\[({{]?)({_ITEM}(?:(?:,? and |,? or |, ){_ITEM}){{0,50}})({_CUT})",
    re.IGNORECASE,
)
_EXAMPLE_WORDS = (
    ".g.",
    "xample",
    "nstance",
    "uch as",
    " cell ",
    "amples",
    ": [",
    ": {",
    ": '",
    ': "',
    "values:",
)
_QUOTES = "'\"`“”"
# An example of this form, such as 'ORD#', is the same on every day, so it was one before lists were.
_LIKE_A_NUMBER = re.compile(r"(['\"`“]?)[A-Za-z]{0,8}[-_]?#[#T:/. -]{0,20}Z?['\"`”]?")
_CHOSEN = re.compile(
    r"\b(?:(?:must|should|shall|least|most|exactly|only|each|every|per|than|never|up to)\b"
    r"|(?:expect|requir|allow|limit|max|min|threshold)[a-z]{0,5}\b|not\b[\w ]{1,60}\bsuch as)",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[.;:,(\n]|\bbut\b")
_SENTENCE = re.compile(r"[;:\n]|\.\s|\b(?:but|found|got)\b")
_THIRD_PERSON = (
    "hold contain fail violate exceed repeat lie fall break differ appear occur lack need refer point use"
)
_VERBS = {
    **{"is": "are", "was": "were", "has": "have", "does": "do", "matches": "match", "misses": "miss"},
    **{"isn't": "aren't", "wasn't": "weren't", "hasn't": "haven't", "doesn't": "don't"},
    **{f"{verb}s": verb for verb in _THIRD_PERSON.split()},
}
_VERB = rf"(?:{'|'.join(_VERBS)})\b"
_OF = re.compile(
    r"(?<!age )(?<!art )(?<!tep )(?<!atch )"  # page, part, step, batch 1 of 3
    r"((?<![\w.,+-])1 (?:out )?of (?:the )?\d[\d.,]*+(?: [a-z]{2,20}){1,2} (?:\([^()\n]{1,30}\) )?)"
    rf"({_VERB})"
)
_ADJECTIVE = (
    "(?:duplicated?|missing|null|empty|blank|invalid|bad|wrong|failed|failing|unexpected|negative|orphan|orphaned|"
    "outlier|extreme|extra|late|new|affected|unmatched|unknown|malformed|other|more|further|data)"
)
_NO_ADJECTIVE = (  # a constant column has 1 distinct value on every day
    "(?:unique|distinct|single|constant|different|common|same|possible|valid|row|record|value|result|entry|item|cell"
    "|in|of|per|to|or|and|for|the|an|at|by|on|from|if|when|where|that|which|as|with|without|means|equals)"
)
_COUNTED = (
    "(?:row|record|value|result|line|entry|item|cell|element|case|failure|error|null|blank|duplicate|outlier|anomaly|"
    "violation|mismatch|match|observation|sample|key|column|field|occurrence|instance|group|pair|file|table|date|"
    "timestamp|address|customer|order|user|product|transaction|string|name|reference|warning|"
    "issue|problem|alert|defect|exception)"
)
_AGE = re.compile(r"\b(is|was) 1 (second|minute|hour|day|week|month)(?= (?:old|late|behind|overdue)\b)")
_ROW = re.compile(r"\b(?:row|line|record|position|index)(?=[:=]? ?[\[({]?\d)", re.IGNORECASE)
_ABOUT = re.compile(
    r"(\bof \d[\d.,]*+ [a-z]{2,20} \()(?:under |over |less than |more than |[<>] ?)(?=\d[\d.]* ?%\))"
)
_SINGULAR = re.compile(
    r"(^|[.;:,(\[–—]\s|[(\[]|\b(?:found|got|has|have|had|contains?|in|for|with|on|affects?|and|but|detected|"
    r"reported|returned|of|from|there (?:is|was)) )"
    r"(1 (?:\([^()\n]{1,30}\) )?)"
    rf"(?:((?:(?!(?:{_NO_ADJECTIVE}|{_VERB})\b)[a-z-]{{2,20}} ){{0,2}})({_COUNTED})"
    rf"|((?:{_ADJECTIVE} ){{0,2}})([a-z]{{2,20}}(?:[^s\W]|ss|us)))(?![\w('/-])"
    rf"((?: \([^()\n]{{1,30}}\))? {_VERB})?"
    r"(?! (?:per|for each|each|every|only|or|is|allowed|expected|required|permitted|must|should)\b)",
    re.IGNORECASE,
)


def fingerprint(finding: GhostFinding, dataset: str | None = None) -> str:
    """Return the finding's id, version 1: ``f1-`` and 32 hex digits.

    Made from dataset, ghost type, column and the check. The check is a tool's own stable
    ``metadata["check_id"]``, else ``metadata["check"]`` with its ``params``, else the description
    with its numbers masked.

    Args:
        finding: The finding.
        dataset: Used where the finding's own ``metadata["dataset"]`` says nothing.
    """
    meta = finding.metadata
    own = str(meta.get("dataset") or dataset or "")
    check: list[object]
    if meta.get("check_id"):
        check = ["id", str(meta["check_id"])]
    elif meta.get("check"):
        check = ["check", str(meta["check"]), meta.get("params") or {}]
    else:
        check = ["text", masked(finding.description)]
    parts = ["v1", own, finding.ghost_type, finding.column, *check]
    return PREFIX + hashlib.sha256(codec.canonical(parts)).hexdigest()[:32]


def check_key(metadata: Mapping[str, Any], dataset: str, column: str) -> str:
    """Return what a finding and the record that its check ran have in common: 16 hex digits.

    Unlike the fingerprint it knows no ghost type, which a check that passed has not got. Empty where
    no check is named.

    Args:
        metadata: A finding's metadata, or an entry of a report's coverage: ``check_id``, or ``check``
            with ``params``.
        dataset: The dataset.
        column: The column that was checked.
    """
    if metadata.get("check_id"):
        parts: list[object] = ["id", str(metadata["check_id"])]
    elif metadata.get("check"):
        parts = ["check", str(metadata["check"]), metadata.get("params") or {}, column]
    else:
        return ""
    return hashlib.sha256(codec.canonical(["c1", dataset, *parts])).hexdigest()[:16]


def covered(metadata: Mapping[str, Any], dataset: str) -> frozenset[str]:
    """Return the keys of the checks that ran to their end, as a report's metadata tells.

    Read from ``metadata["coverage"]["ran"]``, a list of ``{check or check_id, column, params,
    outcome}``; an outcome of ``"failed"`` is no check. Empty where nothing is told.
    """
    coverage = metadata.get("coverage")
    ran = coverage.get("ran") if isinstance(coverage, Mapping) else None
    entries = [entry for entry in ran if isinstance(entry, Mapping)] if isinstance(ran, list) else []
    good = (entry for entry in entries if entry.get("outcome") != "failed")
    keys = (check_key(entry, dataset, str(entry.get("column", ""))) for entry in good)
    return frozenset(filter(None, keys))


def masked(description: str) -> str:
    """Return a description with what a run's data gave replaced, so that counts do not matter.

    Each number becomes ``#``. Where the words around tell what it is, these read alike too:

    - ``1 row is`` as ``2 rows are``: ``# rows are``; not after a word of limit (``at most 1 row``);
    - the UUID or hexadecimal id of a run (``run 3f9a41c7``): ``#``; other such ids name things;
    - numbered rows (``rows [3, 17, 99]``, ``rows 3, 17 and 99``): ``rows [#]``, ``rows #``; any other
      list keeps its length, for a range or a set of accepted values belongs to the check;
    - examples (``e.g. 'x', 'y'``, ``such as``): one ``'#'``; and what Pandera appends to its messages;
    - ``60 rows (under 0.1 %)`` as ``60 rows (3 %)``; weekday and month in front of a time of day.

    A text in which nothing but numbers ever changed is masked by its numbers alone, as it always was:
    stored discussions hang on that.
    """
    text = _ABOUT.sub(r"\1", description) if "%)" in description else description
    if "1 " in text:
        text = _counted_as_many(text)
    if "," in text or " and " in text:
        text = _ROWS.sub(lambda found: f"{found[1]}{found[2] or ''}#{found[3] or ''}", text)
    if ":" in text:
        text = _CASES.sub(r"\1 #", _TIME.sub("#", text))
    if any(word in text for word in _EXAMPLE_WORDS):
        text = _EXAMPLES.sub(_one_example, text)
    if _LONG_HEX.search(text):
        text = _RUN.sub(r"\1#", text)
    return _NUMBER.sub("#", text)


def _one_example(found: re.Match[str]) -> str:
    """Return a list of examples as one; a lone number or code keeps the form that its mask gives it."""
    before = found.string[max(0, found.start() - 120) : found.end(1)].rstrip(" .,:([{")
    if _CHOSEN.search(_SENTENCE.split(before)[-1]):
        return found[0]
    items = re.findall(_ITEM, found[2], re.IGNORECASE)
    forms = {_NUMBER.sub("#", re.sub(rf"(?<![\w-]){_HEX}", "#", item, flags=re.IGNORECASE)) for item in items}
    form = forms.pop()
    if not forms and _LIKE_A_NUMBER.fullmatch(form):
        return found[1] + form + (found[3] if len(items) == 1 else "")
    opening, closing = (end if end in _QUOTES else "" for end in (items[0][0], items[0][-1]))
    return f"{found[1]}{opening}#{closing}"


def _counted_as_many(text: str) -> str:
    """Return a text with its counts of one in the plural, and then the row that it names too."""
    many = _OF.sub(lambda found: found[1] + _VERBS[found[2]], _AGE.sub(r"\1 1 \2s", text))
    many = _SINGULAR.sub(_plural, many)
    return many if many == text else _ROW.sub(lambda found: _many(found[0]), many)


def _plural(found: re.Match[str]) -> str:
    """Return ``1 row is`` as ``1 rows are`` where it is a count."""
    lead, one, words, counted, adjectives, noun, rest = found.groups(default="")
    of_a_constant = not words and counted == "value" and not rest and re.match("ha[sd]|contain", lead)
    before = found.string[max(0, found.start() - 120) : found.end(1)]
    if not (counted or adjectives or rest) or of_a_constant or _CHOSEN.search(_CLAUSE.split(before)[-1]):
        return found[0]
    there = re.sub("is $", "are ", re.sub("was $", "were ", lead))
    rest = re.sub(rf"{_VERB}$", _plural_verb, rest, flags=re.IGNORECASE)
    return f"{there}{one}{words or adjectives}{_many(counted or noun)}{rest}"


def _plural_verb(found: re.Match[str]) -> str:
    return _VERBS[found[0].lower()]


def _many(noun: str) -> str:
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return f"{noun[:-1]}ies"
    if noun.endswith("index"):
        return f"{noun[:-2]}ices"
    return f"{noun}es" if noun.endswith(("s", "x", "z", "ch", "sh")) else f"{noun}s"


def legacy_id(ghost_type: str, column: str, description: str) -> str:
    """Return the id LavenderTown 0.7 gave: an MD5 over type, column and description."""
    key = f"{ghost_type}:{column}:{description}"
    return hashlib.md5(key.encode("utf-8"), usedforsecurity=False).hexdigest()


def dataset_name(file: str) -> str:
    """Guess what a file is a delivery of: its name without ending, dates and running numbers.

    ``orders-2026-11-21.csv`` and ``20261128_orders.csv.gz`` are both deliveries of ``orders``, so
    next week's findings are known again.
    """
    stem = PurePath(file).name.split(".")[0] or file
    name = re.sub(r"^\d[\d\W_]*[\W_]", "", stem)
    return re.sub(r"[\W_]*\d[\d\W_]*$", "", name) or stem


def is_legacy_id(finding_id: str) -> bool:
    """Tell whether an id has the form that 0.7 gave (32 hex digits)."""
    return len(finding_id) == 32 and all(c in "0123456789abcdef" for c in finding_id)
