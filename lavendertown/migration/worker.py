"""The process that moves on behalf of the dashboard: ``python -m lavendertown.migration.worker``.

It reads one pickled job from standard input and writes pickled progress and, last, an outcome or the
sentence of an error to standard output. Passwords so never stand in arguments or the environment. When
whoever started it is gone, the next word to them fails, and the move rests until somebody goes on.
"""

from __future__ import annotations

import logging
import pickle
import sys
from typing import BinaryIO

from lavendertown.errors import LavenderTownError
from lavendertown.migration.mover import move, plan
from lavendertown.migration.values import Outcome, Progress, Request

Message = Progress | Outcome | str
"""A string is the sentence of an error."""

log = logging.getLogger("lavendertown.migration")


def main() -> None:
    """Do the job on standard input."""
    kind, request = pickle.load(sys.stdin.buffer)
    out = sys.stdout.buffer
    # Whatever prints must not get between the messages.
    sys.stdout = sys.stderr
    _say(out, _done(kind, request, out))


def _done(kind: str, request: Request, out: BinaryIO) -> Message:
    work = {"plan": plan, "move": move}[kind]
    try:
        return work(request, lambda progress: _say(out, progress))
    except (LavenderTownError, ImportError) as error:
        return str(error)
    except BrokenPipeError:
        raise SystemExit(1) from None
    except Exception as error:
        log.exception("Unforeseen error in a %s", kind)
        return (
            f"That did not work, and we did not foresee it ({type(error).__name__}). What was moved is "
            "kept, and the source is untouched; the server's log has the details."
        )


def _say(out: BinaryIO, message: Message) -> None:
    pickle.dump(message, out)
    out.flush()


if __name__ == "__main__":
    main()
