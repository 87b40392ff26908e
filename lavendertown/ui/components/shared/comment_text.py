"""Rewrite the Markdown of a comment to a safe subset.

Kept are paragraphs, emphasis, code, lists, quotes, rules, and links to web and mail addresses. Headings
become bold lines, images become links, and tables are shown as source code. HTML, formulas, icons and
colours are shown as typed. A comment with too deep nesting is shown as plain text.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

from lavendertown.ui.components.shared.markdown import code_span, escape_text, show_hidden_characters

MAX_LENGTH = 20_000
MAX_MARKUP_CHARACTERS = 2_000
"""Maximum number of brackets and emphasis characters in a parsed comment; more are slow to parse."""

MAX_DEPTH = 8
_MARKUP = re.compile(r"[\[\]*_~`<!]")
_DEEP = re.compile(r"^[ \t]*(?:(?:>|[-+*]|\d{1,9}[.)])[ \t]*){9}", re.MULTILINE)
_WEB = re.compile(r"https?://[^\s<>\"`]+[^\s<>\"`.,;:!?'()\[\]]")
_LINK = re.compile(r"(?:https?://|mailto:)[^\s<>\\]*", re.IGNORECASE)
_LANGUAGES = frozenset({"bash", "csv", "json", "python", "r", "sql", "toml", "xml", "yaml"})
"""Allowed languages; the front end renders code of one other language as an image."""

_PARSER = MarkdownIt("commonmark", {"html": False, "maxNesting": 100}).enable(["table", "strikethrough"])
_PARSER.disable(["image", "html_block", "html_inline", "reference", "entity"])


class _NestingError(Exception):
    """Blocks or emphasis are nested too deeply."""


@functools.lru_cache(maxsize=2_000)
def safe_markdown(comment: str) -> str:
    """Return safe Markdown for a comment, or its plain text if it is too long, too complex or too deep."""
    text = show_hidden_characters(comment.replace("\r\n", "\n").replace("\r", "\n"))
    if len(text) > MAX_LENGTH or len(_MARKUP.findall(text)) > MAX_MARKUP_CHARACTERS or _DEEP.search(text):
        return text_as_markdown(text)
    try:
        return _MarkdownWriter(text).write_blocks(_PARSER.parse(text)).strip("\n")
    except (_NestingError, RecursionError):
        return text_as_markdown(text)


def text_as_markdown(text: str) -> str:
    """Return Markdown that shows a text line by line, without formatting."""
    return "\\\n".join(escape_text(line) or "&nbsp;" for line in text.strip("\n").splitlines())


def quote_block(markdown: str) -> str:
    """Return Markdown as a block quote."""
    return "\n".join(f"> {line}" for line in markdown.splitlines())


class _MarkdownWriter:
    """Convert the tokens of a parsed comment to Markdown."""

    def __init__(self, source: str) -> None:
        self._lines = source.splitlines()

    def write_blocks(self, tokens: Sequence[Token], depth: int = 0) -> str:
        if depth > MAX_DEPTH:
            raise _NestingError
        written = ""
        tight = False
        index = 0
        while index < len(tokens):
            end = _closing_index(tokens, index)
            part = self._write_block(tokens[index : end + 1], depth)
            if part:
                written += (("\n" if tight else "\n\n") if written else "") + part
                # Hidden tokens are paragraphs of a list without blank lines.
                tight = tokens[index].hidden
            index = end + 1
        return written

    def _write_block(self, tokens: Sequence[Token], depth: int) -> str:
        first, inner = tokens[0], tokens[1:-1]
        match first.type:
            case "paragraph_open":
                return self._write_inline(inner[0])
            case "heading_open":
                text = self._write_inline(inner[0]) if inner else ""
                return f"**{text.strip()}**" if text.strip() else ""
            case "bullet_list_open" | "ordered_list_open":
                return self._write_list(tokens, depth)
            case "blockquote_open":
                return quote_block(self.write_blocks(inner, depth + 1)) or ">"
            case "fence" | "code_block":
                return _code_block(first.content, first.info)
            case "table_open":
                start, end = first.map or (0, 0)
                return _code_block("\n".join(line.strip() for line in self._lines[start:end]))
            case "hr":
                return "---"
            case _:
                return escape_text(first.content)

    def _write_list(self, tokens: Sequence[Token], depth: int) -> str:
        ordered = tokens[0].type == "ordered_list_open"
        number = int(tokens[0].attrs.get("start", 1)) if ordered else 0
        written = []
        index = 1
        while index < len(tokens) - 1:
            end = _closing_index(tokens, index)
            mark = f"{number}. " if ordered else "- "
            body = self.write_blocks(tokens[index + 1 : end], depth + 1)
            written.append(mark + body.replace("\n", "\n" + " " * len(mark)))
            number += 1
            index = end + 1
        return "\n".join(written)

    def _write_inline(self, token: Token) -> str:
        children = token.children or []
        written: list[str] = []
        links: list[str] = []
        level = 0
        for each in children:
            level += each.nesting
            if level > MAX_DEPTH:
                raise _NestingError
            match each.type:
                case "text" | "text_special":
                    written.append(escape_spaced(each.content) if links else _link_addresses(each.content))
                case "softbreak" | "hardbreak":
                    written.append("\n" if each.type == "softbreak" else "\\\n")
                case "code_inline":
                    written.append(code_span(each.content))
                case "strong_open" | "strong_close":
                    written.append("**")
                case "em_open" | "em_close":
                    written.append("*")
                case "s_open" | "s_close":
                    written.append("~~")
                case "link_open":
                    href = str(each.attrs.get("href", ""))
                    links.append(href)
                    written.append("[" if _LINK.fullmatch(href) else "\\[")
                case "link_close":
                    written.append(_link_end(links.pop()))
                case _:
                    written.append(escape_spaced(each.content))
        return "".join(written)


def escape_spaced(text: str) -> str:
    """Escape a part of a line, preserving spaces at its ends."""
    start = " " if text[:1].isspace() else ""
    end = " " if text[-1:].isspace() and text.strip() else ""
    return f"{start}{escape_text(text)}{end}"


def _link_addresses(text: str) -> str:
    """Escape a text and convert web addresses to links."""
    spans = [(0, 0), *(match.span() for match in _WEB.finditer(text)), (len(text), len(text))]
    written = []
    for (_, before), (start, end) in pairwise(spans):
        written.append(escape_spaced(text[before:start]) if start > before else "")
        address = text[start:end]
        written.append(f"[{escape_text(address)}{_link_end(address)}" if address else "")
    return "".join(written)


def _link_end(href: str) -> str:
    if _LINK.fullmatch(href):
        return f"](<{href}>)"
    return f"\\]\\({escape_text(href)}\\)"


def _code_block(content: str, info: str = "") -> str:
    language = next(iter(info.split()), "").casefold()
    longest = max((len(run) for run in re.findall("`+", content)), default=0)
    fence = "`" * max(3, longest + 1)
    # The front end replaces icon names in the source before it parses code.
    text = content.rstrip("\n").replace(":material/", ":\u2060material/")
    return f"{fence}{language if language in _LANGUAGES else 'text'}\n{text}\n{fence}"


def _closing_index(tokens: Sequence[Token], start: int) -> int:
    """Return the index of the token that closes the one at ``start``."""
    level = 0
    for index in range(start, len(tokens)):
        level += tokens[index].nesting
        if level == 0:
            return index
    return len(tokens) - 1
