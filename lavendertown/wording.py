"""Descriptions without what a run's data gave: where no check is named, they tell findings apart.

Stored discussions hang on the results. So a text in which nothing but numbers ever changed is masked by
its numbers alone, and each further rule asks for the words that make its numbers a count, a run's id or
a list of rows: limits and accepted values belong to a check.
"""

from __future__ import annotations

import re

_NUMBER = re.compile(r"[+-]?\d+(?:[.,\u00a0\u202f']\d+)*(?:[eE][+-]?\d+)?(?:\s?%)?")
_RUN_ID = re.compile(
    r"\b((?:run|batch|invocation|execution|session|job)(?:[ _-]?id)?[ :=#(]{1,3})"
    r"(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{8,64})(?![\w-])",
    re.IGNORECASE,
)
_ROW_LIST = re.compile(
    r"\b((?:rows|records|lines|indices|indexes|positions)(?: indices)?:? )"
    r"(?:(\[)\d++(?:, \d++)++(?:, \.\.\.)?\]|\d++(?:, \d++)*+,? and \d++(?! more)"
    r"|\d++(?:, \d++)++(?=[.;)]|$))"
    r"(?: and \d++ more| \(and \d++ more\))?",
    re.IGNORECASE,
)
_VERBS = {"is": "are", "was": "were", "has": "have", "does": "do", "fails": "fail", "holds": "hold"}
_SAYS = rf"(?: \([^()]{{1,30}}\))? (?:{'|'.join(_VERBS)})\b"
_NOUN = (
    "row|record|value|result|line|item|cell|case|failure|error|null|duplicate|outlier|violation|mismatch|key"
)
_ADJECTIVE = "duplicate|missing|null|empty|invalid|unexpected|suspicious|failing|failed|bad"
_ONE = re.compile(
    rf"(?<![\w.,+-])(?P<count>1 (?:(?:{_ADJECTIVE}) ){{0,2}})"
    rf"(?P<noun>(?:{_NOUN})(?!\w)|[a-z]{{2,20}}(?<!s)(?={_SAYS}))"
    rf"(?![\w('/-]| per\b| for each\b)(?P<verb>{_SAYS})?"
)
_ONE_OF_MANY = re.compile(rf"(?<![\w.,+-])(?P<count>1 of \d[\d.,]*+ )(?P<noun>[a-z]+s)(?P<verb>{_SAYS})")
_THERE_IS = re.compile(r"\bThere (is|was)(?= 1 )")
_LIMIT = re.compile(
    r"\b(?:least|most|exactly|only|than|every|each|per|must|should|part|step|page|type|has)\b[^.;:,]*$",
    re.IGNORECASE,
)
_CLAUSE = 120
# As bytes, which takes a seventh of the time: each finding that is saved is compared.
_DROPPED = b"0123456789#.,%+-' "


def masked(description: str) -> str:
    """Return a description in which each number is ``#``, and which reads alike from day to day.

    - ``1 row is`` reads as ``2 rows are``, but not behind a limit: ``at most 1 row``.
    - The UUID or hexadecimal id of a run is ``#``: ``run 3f9a41c7``.
    - A list of rows is ``#``, however long: ``rows [3, 17, 99]``. Other lists keep their length.
    """
    text = _RUN_ID.sub(r"\1#", description)
    text = _ROW_LIST.sub(lambda found: f"{found[1]}{'[#]' if found[2] else '#'}", text)
    if "1 " in text:
        text = _THERE_IS.sub(lambda found: f"There {_VERBS[found[1]]}", text)
        text = _ONE_OF_MANY.sub(_plural, _ONE.sub(_plural, text))
    return _NUMBER.sub("#", text)


def reads_as(description: str, stored: str) -> bool:
    """Tell whether a description is :func:`masked` to a stored one, in most cases without masking it."""
    return _without_numbers(description) == _without_numbers(stored) or masked(description) == stored


def _without_numbers(text: str) -> bytes:
    return text.encode("utf-8").translate(None, _DROPPED)


def _plural(found: re.Match[str]) -> str:
    if _LIMIT.search(found.string[max(0, found.start() - _CLAUSE) : found.start()]):
        return found[0]
    noun, verb = found["noun"], found["verb"] or ""
    between, _, last = verb.rpartition(" ")
    many = noun if noun.endswith("s") else f"{noun}{'es' if noun.endswith('ch') else 's'}"
    return f"{found['count']}{many}{between}{f' {_VERBS[last]}' if last else ''}"
