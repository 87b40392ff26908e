"""Text from outside in a real browser: letter for letter, and nothing is fetched or drawn for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.dashboard import Dashboard, start_dashboard

APP = Path(__file__).parent / "apps" / "texts.py"
PICTURE = "http://127.0.0.1:9/x.png"
PLAIN = {
    text: text
    for text in (
        f"![x]({PICTURE})",
        f'<img src="{PICTURE}">',
        "<b>bold</b> &lt; &amp; &#36;",
        "[a](javascript:alert(1))",
        f"[a]({PICTURE})",
        ":material/skull: :material_skull: :streamlit: :help:",
        ":smile: :+1: :a:b:c: 10:30:59",
        ":red[x] :blue-badge[y] :color[z]{foreground=red} :small[s] :shimmer[q]",
        "$x$ $$\\frac{1}{2}$$ costs $5 and $6",
        "*a* **b** _c_ __d__ ~~e~~ `f` ``g`` \\h \\* end\\",
        "www.example.com WWW.example.com http://example.com/a?b=c#d https://example.com ftp://x.y",
        "ana@example.org mailto:ana@example.org <ana@example.org> @ana",
        "# heading",
        "- list",
        "+ list",
        "1. list",
        "12) list",
        "> quote",
        "---",
        "===",
        "| a | b |",
        "[^1] and [^1]: note",
        "[x]: http://example.com",
        "- [ ] task",
        ":::note",
        "::leaf[x]",
        "a -> b <- c <-> d -- e >= f <= g ~= h",
        "-> <- -- >= <= ~=",
        "```mermaid",
        "~~~",
        "{attributes}",
        "C:\\Users\\ana\\data.csv",
        'it\'s "quoted" – 100 % ü ж 漢字 👩‍👩‍👧 e\u0301',
    )
} | {
    "evil\u202egnp.exe": "evil⟨U+202E⟩gnp.exe",
    "a\u2066b\u2069c\u200ed\u200fe\u061cf": "a⟨U+2066⟩b⟨U+2069⟩c⟨U+200E⟩d⟨U+200F⟩e⟨U+061C⟩f",
    "a\u200bb\u00adc\ufeffd\u2060e\x1bf\x07g\x7fh\u3164i": (
        "a⟨U+200B⟩b⟨U+00AD⟩c⟨U+FEFF⟩d⟨U+2060⟩e⟨U+001B⟩f⟨U+0007⟩g⟨U+007F⟩h⟨U+3164⟩i"
    ),
    "z" + "\u0335" * 60 + "y": "z" + "\u0335" * 6 + "…y",
    "  two\n\nlines\t ": "two lines",
}
PLACES = ("markdown", "title", "caption", "badge", "bold", "button", "error")
NESTED = {
    "quotes": ">" * 9000 + " deep",
    "brackets": "[" * 9000 + "deep" + "]" * 9000,
    "lists": "\n".join("  " * depth + "- deep" for depth in range(90)),
    "markers": "- " * 5000 + "deep",
    "emphasis": "*a **b " * 2500 + "deep",
    "links": "[a](" * 4000 + "deep",
    "backticks": " ".join("`" * n for n in range(1, 190)) + " deep",
    "directives": ":red[" * 3000 + "deep" + "]" * 3000,
}
COMMENTS = {
    "math $x$ and $$\\rule{500em}{500em}$$": "math $x$ and $$\\rule{500em}{500em}$$",
    "# huge\n\n## big": "huge\n\nbig",
    "<style>*{display:none}</style><h1>x</h1>": "<style>*{display:none}</style><h1>x</h1>",
    "| a | b |\n|---|---|\n| 1 | 2 |": "| a | b |\n|---|---|\n| 1 | 2 |",
    ":material/skull: :red[x] :smile:": ":material/skull: :red[x] :smile:",
    "[a](javascript:alert(1))": "[a](javascript:alert(1))",
    "![a](data:image/png;base64,xx)": "![a](data:image/png;base64,xx)",
    "a\u202eb": "a⟨U+202E⟩b",
    "**bold** *em* `code $x$` ~~gone~~": "bold em code $x$ gone",
    "- one\n- two\n  1. three\n\n> quoted\n> again": "one\ntwo\nthree\nquoted again",
    "line one\\\nline two": "line one\nline two",
}


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Dashboard:
    folder = tmp_path_factory.mktemp("texts")
    file = folder / "texts.json"
    file.write_text(json.dumps({"plain": list(PLAIN), "comments": [*COMMENTS, *NESTED.values()]}))
    started = start_dashboard({"LAVENDERTOWN_TEXTS": str(file)}, folder / "log", APP)
    yield started  # type: ignore[misc]
    started.stop()


@pytest.fixture
def page(visitor: Callable[..., Page], texts: Dashboard) -> Page:
    """The page with all texts, which reached nothing but its server."""
    opened = visitor()
    reached: list[str] = []
    errors: list[str] = []
    opened.on("request", lambda request: reached.append(request.url))
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto(texts.url)
    expect(opened.get_by_text("All texts are shown.")).to_be_visible(timeout=60_000)
    expect(opened.get_by_test_id("stSkeleton")).to_have_count(0)
    assert [url for url in reached if not url.startswith((texts.url, "data:", "blob:"))] == []
    assert errors == []
    return opened


def shown(page: Page, place: str) -> list[str]:
    """The text in each container of a place, in order."""
    read = """place => [...document.querySelectorAll(`[class*="st-key-${place}-"]`)].map(e => e.innerText)"""
    return [text.strip() for text in page.evaluate(read, place)]


def test_a_text_from_outside_is_shown_letter_for_letter(page: Page) -> None:
    for place in PLACES:
        assert dict(zip(PLAIN, shown(page, place), strict=True)) == PLAIN, place
    inside = ", ".join(f'[class*="st-key-{place}-"] {{0}}' for place in PLACES)
    for drawn in ("a", "img:not([data-testid])", ".katex", "[role=img]", "li", "table", "code"):
        expect(page.locator(inside.replace("{0}", drawn))).to_have_count(0)


def test_inline_code_is_shown_letter_for_letter(page: Page) -> None:
    assert dict(zip(PLAIN, shown(page, "code"), strict=True)) == PLAIN


def test_a_comment_keeps_its_text_and_stays_in_its_box(page: Page) -> None:
    found = shown(page, "comment")[: len(COMMENTS)]
    assert [" ".join(text.split()) for text in found] == [
        " ".join(text.split()) for text in COMMENTS.values()
    ]
    inside = '[class*="st-key-comment-"] '
    for drawn in (".katex", "h1", "h2", "style", "table", "img", "[role=img]", 'a[href^="javascript"]'):
        expect(page.locator(inside + drawn)).to_have_count(0)


def test_a_comment_that_is_nested_too_deeply_is_shown_as_text(page: Page) -> None:
    for name, text in zip(NESTED, shown(page, "comment")[len(COMMENTS) :], strict=True):
        assert "deep" in text, name
        assert "Error" not in text, name
