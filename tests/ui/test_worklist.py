"""How many rows of a finding are answered, and why not, on the screens of the finding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streamlit.testing.v1 import AppTest

from lavendertown.collaboration.storage import FileStorage, get_finding_id
from lavendertown.interchange.worklists.answers import FilledRows, RowAnswer
from lavendertown.interchange.worklists.worklist_file import FindingRows

App = Callable[..., AppTest]
Save = Callable[..., Any]


def give_out(storage: FileStorage, save: Save) -> tuple[str, str]:
    """Give out the rows of the first finding of a report, and answer one; the ids come back."""
    name = get_finding_id(save("r-1").findings[0])
    rows = FindingRows(name, "It is empty", "orders", "customer_id", [3, 5], 2, stored_keys=["A-3", "A-5"])
    (made,) = storage.worklists.create("r-1", [rows], actor="Ana")
    answer = RowAnswer(made.id, 2, "cannot", "![x](http://evil.example/x.png)")
    filled = FilledRows((answer,), (), frozenset({answer.key}))
    storage.worklists.save_answers(filled, author="Ben")
    return name, made.id


def texts(app: AppTest) -> str:
    return "\n".join(element.value for element in app.markdown)


def open_section(app: AppTest) -> AppTest:
    app.session_state["worklist:r-1:0"] = True
    return app.run()


def test_the_pane_shows_the_counts_and_the_reasons(open_app: App, storage: FileStorage, save: Save) -> None:
    name, _ = give_out(storage, save)
    for app in (open_app("report", report="r-1", finding=name), open_app("findings", finding=name)):
        assert "1 of 2 rows answered: 0 done, 1 cannot" in texts(app)
        open_section(app)
        assert not app.exception
        (reasons,) = (each.value for each in app.dataframe if "Reason" in each.value.columns)
        assert reasons.to_dict("records") == [
            {
                "Row": 7,
                "Key": "A-5",
                "Answer": "cannot",
                "Reason": "![x](http://evil.example/x.png)",
                "By": "Ben",
            }
        ]
        assert [each.label for each in app.button if "filled file" in each.label] == ["Read a filled file…"]


def test_a_finding_without_worklist_has_no_section(open_app: App, save: Save) -> None:
    report = save("r-1")
    app = open_app("report", report="r-1", finding=get_finding_id(report.findings[0]))
    assert [each.label for each in app.expander if each.label == "Row worklist"] == []
    assert "answered" not in texts(app)
