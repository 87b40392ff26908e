"""Start ``python -m MODULE`` or ``python -c CODE`` as a fork of a process that has imported the libraries.

A program of LavenderTown imports for a second, and then many work for some milliseconds. Most tests need
what it does, and not its start. The fork runs as a program of its own, with its own arguments, folder,
environment, input and output.
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
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from types import ModuleType
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
    "lavendertown.tick",
    "lavendertown.demo",
    "openpyxl",
    "xlsxwriter",
    "fastexcel",
)
"""What the forks have imported."""
_MESSAGE_BYTES = 1 << 18
_NUMBER_BYTES = 12


class ForkedProcess:
    """A fork, with the methods of ``subprocess.Popen`` that a worker needs.

    Attributes:
        pid: Its process id.
        stdin: A pipe to its input, if it was started with pipes.
        stdout: A pipe from its output, likewise.
        returncode: Its exit code, or minus the signal that ended it; None while it runs.
    """

    def __init__(self, status: int) -> None:
        self.stdin: IO[bytes] | None = None
        self.stdout: IO[bytes] | None = None
        self.returncode: int | None = None
        self._status = status
        self._lock = threading.Lock()
        self.pid = int(os.read(status, _NUMBER_BYTES))

    def __del__(self) -> None:
        os.close(self._status)

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
            # It may have ended, and its code be on its way.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def _read_code(self, timeout: float | None) -> int | None:
        # It stays readable after the code was read, at its end: all threads that wait go on.
        if self.returncode is None and select.select([self._status], [], [], timeout)[0]:
            with self._lock:
                if self.returncode is None:
                    self.returncode = int(os.read(self._status, _NUMBER_BYTES))
        return self.returncode


class ForkServer:
    """The process that forks."""

    def __init__(self, modules: Sequence[str] = MODULES) -> None:
        self._lock = threading.Lock()
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-m", "tests.support.fork_server", str(theirs.fileno()), *modules]
        self._process = subprocess.Popen(command, cwd=ROOT, pass_fds=[theirs.fileno()])
        theirs.close()
        atexit.register(self.stop)

    def start(
        self,
        arguments: Sequence[str],
        standard: Sequence[int],
        folder: Path | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> ForkedProcess:
        """Start a fork.

        Args:
            arguments: Those of the interpreter: ``-m`` or ``-c``, the module or the code, and its own.
            standard: The file descriptors of its input, output and error output.
            folder: Where it runs; by default where this process does.
            environ: Its environment; by default that of this process.
        """
        status_read, status_write = os.pipe()
        job = {
            "arguments": [str(each) for each in arguments],
            "folder": str(folder or Path.cwd()),
            "environ": dict(os.environ if environ is None else environ),
        }
        with self._lock:
            socket.send_fds(self._socket, [json.dumps(job).encode()], [*standard, status_write])
        os.close(status_write)
        return ForkedProcess(status_read)

    def start_with_pipes(
        self, arguments: Sequence[str], folder: Path | None = None, errors: int = 2
    ) -> ForkedProcess:
        """Start a fork whose input and output are pipes; see :meth:`start`."""
        in_read, in_write = os.pipe()
        out_read, out_write = os.pipe()
        process = self.start(arguments, [in_read, out_write, errors], folder)
        os.close(in_read)
        os.close(out_write)
        process.stdin, process.stdout = os.fdopen(in_write, "wb"), os.fdopen(out_read, "rb")
        return process

    def stop(self) -> None:
        """End the process that forks; the forks end with their standard input."""
        self._socket.close()
        self._process.wait()


def run_python(
    *arguments: str, folder: Path | None = None, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program in a fork until it ends, and return its output; see :meth:`ForkServer.start`."""
    if not IS_SUPPORTED:
        return subprocess.run(
            [sys.executable, *arguments], cwd=folder, env=environ, capture_output=True, text=True, check=False
        )
    with Path(os.devnull).open("rb") as nothing, TemporaryFile() as out, TemporaryFile() as errors:
        standard = [nothing.fileno(), out.fileno(), errors.fileno()]
        code = shared_fork_server().start(arguments, standard, folder, environ).wait()
        texts = []
        for file in (out, errors):
            file.seek(0)
            texts.append(file.read().decode())
    return subprocess.CompletedProcess(arguments, code, *texts)


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
        os.write(status, b"%*d" % (_NUMBER_BYTES, number))


def _run(job: dict[str, Any], standard: list[int]) -> None:
    """Be the program that the interpreter would start, and end."""
    code = 1
    try:
        for target, descriptor in enumerate(standard):
            os.dup2(descriptor, target)
            os.close(descriptor)
        sys.stdin = os.fdopen(0, closefd=False)
        sys.stdout = os.fdopen(1, "w", closefd=False)
        sys.stderr = os.fdopen(2, "w", 1, closefd=False)
        os.environ.clear()
        os.environ.update(job["environ"])
        os.chdir(job["folder"])
        kind, program, *arguments = job["arguments"]
        given = job["environ"].get("PYTHONPATH", "").split(os.pathsep)
        sys.path[:1] = [job["folder"], *filter(None, given)]
        sys.argv[:] = [kind, *arguments]
        if kind == "-m":
            runpy.run_module(program, run_name="__main__", alter_sys=True)
        else:
            main = sys.modules["__main__"] = ModuleType("__main__")
            exec(compile(program, "<string>", "exec"), main.__dict__)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
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
