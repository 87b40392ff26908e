"""A database in memory that is named by a URL is one for all threads, and keeps its content."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from lavendertown.database import application, startup
from lavendertown.database.model_accessor import ModelAccessor


class Base(DeclarativeBase):
    pass


class Word(Base):
    __tablename__ = "memory_words"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(sa.String(40))


@pytest.fixture(params=["sqlite://", "sqlite:///:memory:", "sqlite:///"])
def words(request: pytest.FixtureRequest) -> Iterator[ModelAccessor[Word]]:
    startup.bootstrap(database_url=request.param)
    startup.create_missing_tables(application.get_engine(), Base.metadata)
    yield ModelAccessor(Word, "words")
    application.current_database().close()


def test_threads_write_to_one_database(words: ModelAccessor[Word]) -> None:
    problems: list[BaseException] = []

    def write(text: str) -> None:
        try:
            for n in range(5):
                words.insert(Word(text=f"{text}{n}"))
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=write, args=(text,)) for text in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(words.all()) == 20


def test_content_stays_between_calls_and_ends_with_the_database(words: ModelAccessor[Word]) -> None:
    words.insert(Word(text="a"))
    with application.transaction() as session:
        assert [each.text for each in session.scalars(sa.select(Word))] == ["a"]
    assert [each.text for each in words.all()] == ["a"]
    startup.bootstrap(database_url=str(application.current_database().url))
    startup.create_missing_tables(application.get_engine(), Base.metadata)
    assert words.all() == []
