"""Turn errors of commands into one message and exit code 2."""

from __future__ import annotations

import errno
import os
from typing import Any

import click

from lavendertown.core import locks
from lavendertown.core.errors import LavenderTownError

DEBUG_VARIABLE = "LAVENDERTOWN_DEBUG"


class CommandError(click.ClickException):
    """An error that ends a command with a message on standard error and exit code 2."""

    exit_code = 2


class ErrorHandlingGroup(click.Group):
    """A group of commands that prints errors as messages; with ``LAVENDERTOWN_DEBUG=1``, as tracebacks."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that the arguments select."""
        locks.set_notice_binder(lambda: lambda text: click.echo(text, err=True))
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except Exception as error:
            # Click exits without a message when the reader of a pipe is closed.
            closed_pipe = isinstance(error, OSError) and error.errno == errno.EPIPE
            if closed_pipe or os.environ.get(DEBUG_VARIABLE, "") not in ("", "0"):
                raise
            raise CommandError(format_error(error)) from error


def format_error(error: Exception) -> str:
    """Return the message for an error: its own text if that was written for users."""
    if isinstance(error, (LavenderTownError, ImportError)):
        return str(error)
    first_line = next(iter(str(error).splitlines()), "no reason given").rstrip(".")
    return (
        f"Unexpected error ({type(error).__name__}: {first_line}). "
        f"Run the command again with {DEBUG_VARIABLE}=1 to see the details."
    )
