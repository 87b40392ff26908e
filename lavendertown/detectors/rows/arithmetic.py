"""Detect sums and products of columns that do not add up: a total that is not quantity times price."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import narwhals as nw
import numpy as np

from lavendertown.detectors.base import (
    NOT_CHECKED,
    Aggregates,
    Detection,
    DetectionSteps,
    Detector,
    Passed,
    QuerySteps,
    Result,
    Sample,
    count_where,
    format_row_share,
    limit_columns,
)
from lavendertown.detectors.sampled_rows import Floats, SampledRows
from lavendertown.tables import Column, Table
from lavendertown.tables.inference.column_names import is_calendar, is_coordinate, is_identifier

_MIN_ROWS = 30
_MAX_COLUMNS = 40
_MAX_COMBINED = 15
_MIN_EXACT = 0.97
_PROPOSED_ROWS = 400
_MAX_DECIMALS = 6
_MIN_TELLING_ROWS = 20
_MIN_TELLING_SHARE = 0.1
_MIN_RESULTS = 5


Sign = Literal["+", "×", "/"]
_NOUNS: dict[Sign, str] = {"+": "sum", "×": "product", "/": "quotient"}


@dataclass(frozen=True)
class _Term:
    """A factor or summand: a column, or 1 - column, 1 + column, column / 100."""

    column: Column
    offset: float = 0.0
    scale: float = 1.0

    def values(self, numbers: dict[str, Floats]) -> Floats:
        return self.offset + self.scale * numbers[self.column.key]

    def expression(self) -> nw.Expr:
        value = nw.col(self.column.key).cast(nw.Float64)
        if (self.offset, self.scale) == (0.0, 1.0):
            return value
        return nw.lit(self.offset) + nw.lit(self.scale) * value

    @property
    def text(self) -> str:
        name = self.column.name
        if 0 < abs(self.scale) < 1 and abs(self.scale) != 0.01:
            return f"{name}/{round(1 / self.scale)}"
        scaled = {0.01: f"{name}/100", 100.0: f"100 × {name}"}.get(abs(self.scale), name)
        if not self.offset:
            return scaled if self.scale > 0 else f"- {scaled}"
        return f"(1 {'+' if self.scale > 0 else '-'} {scaled})"


@dataclass(frozen=True)
class _Equation:
    """``result`` is the sum, product or quotient of the terms; ``sign`` is ``+``, ``×`` or ``/``."""

    result: Column
    terms: tuple[_Term, ...]
    sign: Sign
    tolerance: float

    @property
    def names(self) -> list[str]:
        return [*(term.column.name for term in self.terms), self.result.name]

    @property
    def text(self) -> str:
        return f" {self.sign} ".join(term.text for term in self.terms).replace("+ - ", "- ")


@dataclass(frozen=True)
class Arithmetic(Detector):
    """Rows that do not add up where a number is the sum or product of others in nearly all rows.

    Sums of two or three columns and of neighbouring columns, products of two or three with rates and
    discounts (``price × (1 - discount)``), and quotients. They must hold in 97% of the rows, to rounding.
    """

    check: ClassVar[str] = "arithmetic"
    title: ClassVar[str] = "Sums and products"

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return whole rows (None) if there are at least three columns of numbers."""
        return [None] if len(_numbers(table)) > 2 and table.row_count >= _MIN_ROWS else []

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Find the rows in which a sum or product does not hold."""
        sample: SampledRows = yield Sample()
        varying = [each for each in _numbers(table) if _is_varying(sample.floats(each.key))]
        columns, left_out = limit_columns(varying, _MAX_COLUMNS)
        numbers = {each.key: sample.floats(each.key) for each in columns}
        _, not_combined = limit_columns(columns, _MAX_COMBINED, "divided, or added up in threes")
        results: list[Result] = [*left_out, *not_combined]
        used: set[frozenset[str]] = set()
        for equation in _propose_equations(columns, numbers):
            keys = frozenset([equation.result.key, *(term.column.key for term in equation.terms)])
            if any(keys <= each or each <= keys for each in used):
                continue
            result = yield from _check_equation(table, equation)
            if result is not None:
                used.add(keys)
                results.append(result)
        return results or NOT_CHECKED


def find_derived_columns(table: Table, sample: SampledRows) -> set[str]:
    """Return the frame columns that are a sum, product or quotient of others in nearly all sampled rows."""
    varying = [each for each in _numbers(table) if _is_varying(sample.floats(each.key))][:_MAX_COMBINED]
    derived: set[str] = set()
    for equation in _propose_equations(varying, {each.key: sample.floats(each.key) for each in varying}):
        if not derived & {equation.result.key, *(term.column.key for term in equation.terms)}:
            derived.add(equation.result.key)
    return derived


def _numbers(table: Table) -> list[Column]:
    labels = (is_identifier, is_calendar, is_coordinate)
    return [
        column
        for column in table.schema
        if column.kind == "number" and not any(is_label(column.name) for is_label in labels)
    ]


def _is_varying(values: Floats) -> bool:
    present = values[np.isfinite(values)]
    return len(present) >= max(_MIN_ROWS, len(values) // 2) and bool((present != present[0]).any())


def _propose_equations(columns: Sequence[Column], numbers: dict[str, Floats]) -> Iterator[_Equation]:
    """Yield the equations that hold in the sample, the longest ones last."""
    rows = np.linspace(0, len(next(iter(numbers.values()), [])) - 1, _PROPOSED_ROWS).astype(int)
    few = {key: values[np.unique(rows)] for key, values in numbers.items()}
    for result, terms, sign in _list_candidates(columns, few):
        equation = _Equation(result, terms, sign, _tolerance(result, terms, sign, numbers))
        if _equation_holds(equation, few, _MIN_EXACT - 0.02) and _equation_holds(
            equation, numbers, _MIN_EXACT
        ):
            yield equation


Candidate = tuple[Column, tuple[_Term, ...], Sign]


def _list_candidates(columns: Sequence[Column], few: dict[str, Floats]) -> Iterator[Candidate]:
    """Yield combinations of columns that agree in most of a few rows."""
    if not columns:
        return
    table = np.array([few[column.key] for column in columns])
    plain = [_Term(column) for column in columns]
    rates = [rate for column in columns for rate in _rate_terms(column, few)]
    short = plain[:_MAX_COMBINED]
    signed = [*short, *(_Term(term.column, 0.0, -1.0) for term in short)]
    sums: list[tuple[_Term, ...]] = [*itertools.combinations(plain, 2), *itertools.combinations(short, 3)]
    sums += [(a, b, c) for a, b in itertools.combinations(short, 2) for c in signed[len(short) :]]
    sums += [
        tuple(plain[i:j]) for i in range(len(plain)) for j in range(i + 4, len(plain) + 1) if j - i <= 31
    ]
    blocks = [plain[i:j] for i in range(len(plain)) for j in range(i + 3, len(plain) + 1) if j - i <= 31]
    sums += [tuple(_Term(term.column, 0.0, 1 / len(block)) for term in block) for block in blocks]
    factors: list[tuple[_Term, ...]] = [*itertools.combinations(plain, 2), *itertools.product(plain, rates)]
    factors += [(a, b, rate) for a, b in itertools.combinations(short, 2) for rate in rates]
    quotients: list[tuple[_Term, ...]] = [*itertools.permutations(short, 2)]
    quotients += [(_Term(a.column, 0.0, 100.0), b) for a, b in itertools.permutations(short, 2)]
    signs: tuple[tuple[Sign, list[tuple[_Term, ...]]], ...] = (("+", sums), ("×", factors), ("/", quotients))
    for sign, groups in signs:
        for terms in groups:
            keys = [term.column.key for term in terms]
            if len(set(keys)) < len(keys):
                continue
            total = _combine_terms([term.values(few) for term in terms], sign)
            with np.errstate(invalid="ignore"):
                close = np.abs(table - total) <= 0.0101 + 1e-3 * (sign != "+") * np.abs(total)
            agreeing = close.mean(axis=1) >= 0.5
            for i in np.flatnonzero(agreeing).tolist():
                if columns[i].key not in keys:
                    yield columns[i], terms, sign


def _combine_terms(values: Sequence[Floats], sign: Sign) -> Floats:
    result = values[0]
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        for value in values[1:]:
            if sign == "+":
                result = result + value
            else:
                result = result * value if sign == "×" else result / np.where(value == 0, np.nan, value)
    return result


def _rate_terms(column: Column, few: dict[str, Floats]) -> list[_Term]:
    """Return the factors that a discount or tax rate may stand for."""
    values = few[column.key][np.isfinite(few[column.key])]
    if not len(values) or np.median(values) < 0 or (values < 0).mean() > 0.02:
        return []
    scales = [1.0] if np.quantile(values, 0.98) <= 1 else []
    if np.quantile(values, 0.98) <= 100 and np.quantile(values, 0.98) >= 1:
        scales.append(0.01)
    terms = [_Term(column, 1.0, sign * scale) for scale in scales for sign in (-1.0, 1.0)]
    return [*terms, *(_Term(column, 0.0, scale) for scale in scales if scale != 1.0)]


def _tolerance(result: Column, terms: Sequence[_Term], sign: Sign, numbers: dict[str, Floats]) -> float:
    """Return the largest difference that rounding to the decimals of the result explains."""
    step = 10.0 ** -_decimals(numbers[result.key])
    if sign != "+":
        return 1.01 * step
    if any(abs(term.scale) != 1 for term in terms):
        return 0.51 * step  # A mean.
    return 1e-9 + sum(0.5 * 10.0 ** -_decimals(numbers[term.column.key]) for term in terms) + 0.01 * step


def _decimals(values: Floats) -> int:
    present = values[np.isfinite(values)]
    for decimals in range(_MAX_DECIMALS):
        rounded = np.round(present, decimals)
        if (np.abs(rounded - present) <= 1e-9 * np.maximum(1.0, np.abs(present))).mean() > 0.98:
            return decimals
    return _MAX_DECIMALS


def _equation_holds(equation: _Equation, numbers: dict[str, Floats], least: float) -> bool:
    """Return whether an equation holds, also in the rows in which it says something."""
    values = [term.values(numbers) for term in equation.terms]
    result = numbers[equation.result.key]
    total = _combine_terms(values, equation.sign)
    present = np.isfinite(total) & np.isfinite(result)
    with np.errstate(invalid="ignore", divide="ignore"):
        exact = np.abs(result - total) <= equation.tolerance + 1e-9 * np.abs(total)
        telling = present.copy()
        for value in values:
            # How much the equation would be wrong without this term.
            change = value if equation.sign == "+" else result - result / value
            telling &= np.abs(change) > 3 * equation.tolerance
    if present.sum() < _MIN_ROWS or exact[present].mean() < least:
        return False
    least_telling = max(_MIN_TELLING_ROWS, _MIN_TELLING_SHARE * present.sum())
    return bool(
        telling.sum() >= least_telling
        and exact[telling].mean() >= least - 0.02
        and len(np.unique(result[telling])) >= _MIN_RESULTS
    )


def _check_equation(table: Table, equation: _Equation) -> QuerySteps[Detection | Passed | None]:
    terms = [term.expression() for term in equation.terms]
    total = terms[0]
    for term in terms[1:]:
        if equation.sign == "+":
            total = total + term
        else:
            total = total * term if equation.sign == "×" else total / nw.when(term != nw.lit(0.0)).then(term)
    result = nw.col(equation.result.key).cast(nw.Float64)
    # Twice the tolerance: a difference of a cent is how a tool rounds, not a wrong number.
    allowed = nw.lit(2 * equation.tolerance) + nw.lit(1e-9) * total.abs()
    wrong = (result - total).abs() > allowed
    facts = yield Aggregates({"wrong": count_where(wrong), "right": count_where(~wrong)})
    count, right = int(facts["wrong"] or 0), int(facts["right"] or 0)
    if not count:
        return Passed(equation.names)
    if count > (1 - _MIN_EXACT) * (count + right):
        return None
    return Detection(
        "dependency",
        "error",
        f"{equation.result.name} is the {_NOUNS[equation.sign]} {equation.text}, but not in "
        f"{format_row_share(count, table.row_count)}.",
        count,
        wrong,
        sample_column=equation.result.key,
        metadata={"fault": "does_not_add_up", "equation": equation.text, "total_count": table.row_count},
        columns=equation.names,
    )
