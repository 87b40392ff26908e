"""Every search folds its term and the searched texts in the same way."""

from __future__ import annotations

from pathlib import Path

import pytest

from lavendertown.collaboration.storage import Storage
from lavendertown.rules.models import RuleSet
from tests.contract.builders import annotation, finding, report

PACKAGE = Path(__file__).parents[2] / "lavendertown"
# Folds texts for another purpose than a search: to sort names, to match patterns of column names, headers
# or wordings, or to compare values that 0.7 wrote.
NO_SEARCH = {"records/legacy_values.py", "collaboration/parts/people.py", "collaboration/parts/datasets.py"}
NO_SEARCH |= {"ui/components/activity/activity_filters.py", "ui/components/shared/comment_text.py"}
NO_SEARCH |= {"detectors/text/spellings.py", "profile/masking.py"}
NO_SEARCH |= {
    "inbox/renamed_columns.py",
    "inbox/identity_passes.py",
    "core/owner_rules.py",
    "drift/checks.py",
}


@pytest.mark.parametrize("term", ["straße", "STRASSE", "Strasse"])
def test_a_term_is_found_in_every_kind_of_record_whatever_its_case(storage: Storage, term: str) -> None:
    about = finding("Straße", description="straße is empty")
    storage.save_report(report("r1", [about], title="Die STRASSE"))
    storage.save_annotation(annotation(about, comment="Which Strasse?"))
    storage.save_ruleset(RuleSet("STRAßE", ""))
    assert len(storage.query_reports(search=term)) == 1
    assert len(storage.query_findings(search=term)) == 1
    assert len(storage.query_annotations(search=term)) == 1
    assert len(storage.query_rulesets(search=term)) == 1
    assert len(storage.inbox.query(search=term)) == 1


def test_only_one_module_folds_texts_for_a_search() -> None:
    folding = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if "casefold" in path.read_text("utf-8").replace("casefolded", "") and "versions" not in path.parts
    }
    assert folding - NO_SEARCH == {"records/search_text.py"}
