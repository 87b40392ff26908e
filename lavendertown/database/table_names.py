"""Table names derived from class names.

The rules are our own, because an update of a library with more words would rename existing tables.
"""

from __future__ import annotations


def _word_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_IRREGULAR = {
    "alumnus": "alumni",
    "appendix": "appendices",
    "axis": "axes",
    "bacterium": "bacteria",
    "cactus": "cacti",
    "calf": "calves",
    "child": "children",
    "corpus": "corpora",
    "criterion": "criteria",
    "curriculum": "curricula",
    "datum": "data",
    "elf": "elves",
    "foot": "feet",
    "fungus": "fungi",
    "genus": "genera",
    "goose": "geese",
    "half": "halves",
    "knife": "knives",
    "leaf": "leaves",
    "life": "lives",
    "loaf": "loaves",
    "man": "men",
    "matrix": "matrices",
    "medium": "media",
    "mouse": "mice",
    "nucleus": "nuclei",
    "ox": "oxen",
    "person": "people",
    "phenomenon": "phenomena",
    "quiz": "quizzes",
    "radius": "radii",
    "scarf": "scarves",
    "self": "selves",
    "shelf": "shelves",
    "stimulus": "stimuli",
    "thief": "thieves",
    "tooth": "teeth",
    "vertex": "vertices",
    "wife": "wives",
    "wolf": "wolves",
    "woman": "women",
}
_PLURALS = frozenset(_IRREGULAR.values())
_COMPOUNDS = ("child", "man", "person", "shelf", "wife", "wolf")
_NO_COMPOUNDS = _word_set("caiman german human norman ottoman roman shaman talisman")
_UNCHANGED = _word_set(
    "advice aircraft bison cattle chassis corps data deer equipment evidence feedback firmware fish "
    "furniture hardware headquarters information knowledge luggage malware metadata middleware money "
    "moose music news offspring police research rice salmon series sheep software spacecraft species "
    "staff swine traffic trout weather"
)
_SINGULAR_IN_S = _word_set("alias atlas bias canvas chaos cosmos gas lens pancreas")
_PLURAL_IN_US = _word_set("emus gnus gurus menus")
_O_TO_OES = _word_set("buffalo cargo domino echo embargo hero mosquito potato tomato torpedo veto volcano")
_HARD_CH = _word_set("epoch loch monarch patriarch stomach tech")
_HISSES = ("s", "x", "z", "ch", "sh")


def table_name(class_name: str) -> str:
    """Return the class name in snake case, with the last word in the plural.

    ``UserProfile`` becomes ``user_profiles``, ``HTTPServer`` ``http_servers``, ``Person`` ``people``. The
    last word stays if it is already plural (``Users``, ``People``) or has no plural (``News``).
    """
    words = _to_snake_case(class_name).split("_")
    return "_".join([*words[:-1], _pluralize(words[-1])])


def _to_snake_case(name: str) -> str:
    around = zip(" " + name, name, name[1:] + " ", strict=False)
    parts = [("_" if _begins_word(before, at, after) else "") + at.lower() for before, at, after in around]
    return "_".join(word for word in "".join(parts).split("_") if word)


def _begins_word(before: str, at: str, after: str) -> bool:
    return at.isupper() and (before.islower() or before.isdigit() or (before.isupper() and after.islower()))


def _pluralize(word: str) -> str:
    if word in _UNCHANGED or word in _PLURALS:
        return word
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    for end in _COMPOUNDS:
        if word.endswith(end) and word not in _NO_COMPOUNDS:
            return word.removesuffix(end) + _IRREGULAR[end]
    return _pluralize_regular(word)


def _pluralize_regular(word: str) -> str:
    if word.endswith("sis"):
        return f"{word[:-2]}es"
    if word.endswith("y") and (word[-2:-1] not in "aeiou" or word.endswith("quy")):
        return f"{word[:-1]}ies"
    if word.endswith("s") and not _is_singular_in_s(word):
        return word
    if (word.endswith(_HISSES) and word not in _HARD_CH) or word in _O_TO_OES:
        return f"{word}es"
    return f"{word}s"


def _is_singular_in_s(word: str) -> bool:
    return word in _SINGULAR_IN_S or (word.endswith(("ss", "us", "is")) and word not in _PLURAL_IN_US)
