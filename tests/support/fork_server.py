"""Start ``python -m MODULE`` without its imports, as a fork of a process that has imported the libraries.

A worker of the dashboard imports for a second and then works for some milliseconds. Most tests need its
answer, and not its start. The fork runs the module as its own program, with its own arguments, folder,
environment and pipes.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[2]
IS_SUPPORTED = sys.platform == "linux"
MODULES = (
    "lavendertown.data_sources",
    "lavendertown.inspection.tasks",
    "lavendertown.transfer.migrator",
    "lavendertown.collaboration.database_storage",
    "lavendertown.stores.sql.schema.revisions",
    "lavendertown.cli",
    "lavendertown.demo",
    "openpyxl",
    "xlsxwriter",
    "fastexcel",
)
"""What the forks have imported."""
START_SECONDS = 60
_MESSAGE_BYTES = 1 << 18


class ForkedProcess:
    """A fork, with the methods of ``subprocess.Popen`` that a worker needs.

    Attributes:
        pid: Its process id.
        stdin: What it reads.
        stdout: What it writes.
        returncode: Its exit code, or minus the signal that ended it; None while it runs.
    """

    def __init__(self, stdin: IO[bytes], stdout: IO[bytes], status: IO[bytes]) -> None:
        self.stdin, self.stdout, self._status = stdin, stdout, status
        self.pid = int(status.readline())
        self.returncode: int | None = None
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        return self._read_code(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end, and return the exit code."""
        code = self._read_code(timeout)
        if code is None:
            raise subprocess.TimeoutExpired("fork", timeout or 0)
        return code

    def kill(self) -> None:
        """End it; a second call has no effect."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def _read_code(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._status], [], [], timeout)[0]:
            with self._lock:
                if self.returncode is None:
                    # Nothing comes if the server was killed; then its forks are being killed, too.
                    self.returncode = int(self._status.readline() or -signal.SIGKILL)
                    self._status.close()
        return self.returncode


class ForkServer:
    """The process that forks."""

    def __init__(self, modules: Sequence[str] = MODULES) -> None:
        self._lock = threading.Lock()
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-m", "tests.support.fork_server", str(theirs.fileno()), *modules]
        self._process = subprocess.Popen(command, cwd=ROOT, pass_fds=[theirs.fileno()])
        theirs.close()
        self._socket.settimeout(START_SECONDS)
        atexit.register(self.stop)

    def start(self, module: str, arguments: Sequence[str] = ()) -> ForkedProcess:
        """Run a module in a fork, in the folder and with the environment of this process."""
        job = {
            "module": module,
            "arguments": list(arguments),
            "folder": os.getcwd(),  # noqa: PTH109
            "environ": dict(os.environ),
        }
        in_read, in_write = os.pipe()
        out_read, out_write = os.pipe()
        status_read, status_write = os.pipe()
        theirs = [in_read, out_write, 2, status_write]
        with self._lock:
            socket.send_fds(self._socket, [json.dumps(job).encode()], theirs)
        for descriptor in (in_read, out_write, status_write):
            os.close(descriptor)
        return ForkedProcess(
            os.fdopen(in_write, "wb"), os.fdopen(out_read, "rb"), os.fdopen(status_read, "rb", 0)
        )

    def stop(self) -> None:
        """End the process that forks; the forks end with their standard input."""
        self._socket.close()
        self._process.wait()


@functools.cache
def shared_fork_server() -> ForkServer:
    """Return the fork server of this process, started by the first call."""
    return ForkServer()


def serve(connection: socket.socket) -> None:
    """Fork for each job until the other end is closed; report the id and the exit code of each fork."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    running: dict[int, tuple[int, int]] = {}
    while True:
        for ready, _ in poll.poll():
            if ready != connection.fileno():
                pid, status = running.pop(ready)
                poll.unregister(ready)
                os.close(ready)
                code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                _report(status, code)
                os.close(status)
                continue
            message, descriptors, _, _ = socket.recv_fds(connection, _MESSAGE_BYTES, 4)
            if not message:
                return
            *standard, status = descriptors
            pid = os.fork()
            if pid == 0:
                for other in (connection.detach(), status, *running, *(each for _, each in running.values())):
                    os.close(other)
                _run(json.loads(message), standard)
            for descriptor in standard:
                os.close(descriptor)
            _report(status, pid)
            handle = os.pidfd_open(pid)
            running[handle] = (pid, status)
            poll.register(handle, select.POLLIN)


def _report(status: int, number: int) -> None:
    # Perhaps nobody waits for it any more.
    with contextlib.suppress(BrokenPipeError):
        os.write(status, b"%d\n" % number)


def _run(job: dict[str, Any], standard: list[int]) -> None:
    """Be the module's program, as ``python -m`` starts it, and end."""
    code = 1
    try:
        for target, descriptor in enumerate(standard):
            os.dup2(descriptor, target)
            os.close(descriptor)
        os.environ.clear()
        os.environ.update(job["environ"])
        os.chdir(job["folder"])
        sys.path[0] = job["folder"]
        sys.argv[1:] = job["arguments"]
        runpy.run_module(job["module"], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    for name in sys.argv[2:]:
        importlib.import_module(name)
    serve(socket.socket(fileno=int(sys.argv[1])))
