"""The one place where an error becomes one sentence and exit code 2."""

from __future__ import annotations

import errno
import os
from typing import Any

import click

from lavendertown.errors import LavenderTownError

DEBUG = "LAVENDERTOWN_DEBUG"


class Refusal(click.ClickException):
    """Ends a command with one sentence on standard error and exit code 2."""

    exit_code = 2


class SentenceGroup(click.Group):
    """A group of commands whose errors are sentences; with ``LAVENDERTOWN_DEBUG=1``, tracebacks."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command the arguments name."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except Exception as error:
            # Click itself ends quietly when the reader of a pipe is gone.
            closed_pipe = isinstance(error, OSError) and error.errno == errno.EPIPE
            if closed_pipe or os.environ.get(DEBUG, "") not in ("", "0"):
                raise
            raise Refusal(sentence(error)) from error


def sentence(error: Exception) -> str:
    """Return the words for an error: its own where they were meant for people."""
    if isinstance(error, (LavenderTownError, ImportError)):
        return str(error)
    first_line = next(iter(str(error).splitlines()), "no reason given").rstrip(".")
    return (
        f"That did not work, and we did not foresee it ({type(error).__name__}: {first_line}). "
        f"Run it again with {DEBUG}=1 to see the details."
    )
