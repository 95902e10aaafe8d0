"""waymarkd and waymark as a test sees them: processes, exit codes, log lines."""
import os
import pathlib
import re
import signal
import subprocess
import time

from .process import spawn, stop, tail, wait_until

_READY = re.compile(r"(?<!not )\bready\b")


def build_folder():
    root = pathlib.Path(__file__).resolve().parents[4]
    folder = pathlib.Path(os.environ.get("WAYMARK_BUILD") or root / "build")
    assert (folder / "waymarkd").exists(), f"no waymarkd in {folder}: build first, or set WAYMARK_BUILD"
    return folder


def waymark(*arguments, timeout=180, **more):
    """Runs the command and returns what it said; the caller looks at the exit code."""
    return subprocess.run([build_folder() / "waymark", *map(str, arguments)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=timeout, **more)


def waymark_waits(*arguments, until):
    """Sees that the command waits, calls 'until', and returns the exit code with which it then ends."""
    asking = subprocess.Popen([build_folder() / "waymark", *map(str, arguments)], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        try:
            said = asking.communicate(timeout=1.5)
            raise AssertionError(f"it did not wait: {said}")
        except subprocess.TimeoutExpired:
            until()
        asking.communicate(timeout=90)
        return asking.returncode
    finally:
        asking.kill()
        asking.communicate()


class Worker:
    def __init__(self, workspace, name="worker", env=None):
        self.workspace = workspace
        self.log = workspace.logs / f"{name}.log"
        self.env = {**os.environ, **(env or {})}
        self.process = None
        self._log_start = 0

    def start(self):
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        self.process = spawn([build_folder() / "waymarkd", self.workspace.folder], self.log, self.env)
        return self

    def start_ready(self, timeout=90):
        self.start()
        return self.wait_ready(timeout)

    def said(self):
        """What this process (not an earlier one of the same name) has logged."""
        if not self.log.exists():
            return ""
        with open(self.log, "rb") as file:
            file.seek(self._log_start)
            return file.read().decode("utf-8", "replace")

    def lines(self, pattern):
        return [line for line in self.said().splitlines() if re.search(pattern, line)]

    def wait_said(self, pattern, timeout=60):
        return wait_until(lambda: self.lines(pattern), timeout, what=f"'{pattern}' in the log of the worker")

    def wait_ready(self, timeout=90):
        try:
            wait_until(lambda: self.lines(_READY), timeout, what="the worker to be ready", alive=[self.process])
        except AssertionError:
            print(tail(self.log))
            raise
        return self

    def running(self):
        return self.process is not None and self.process.poll() is None

    def restart_if_it_asks(self):
        """What a supervisor does: 75 means try again; any other end fails the test."""
        if not self.running():
            code = self.process.returncode
            assert code == 75, f"the worker ended with {code}: {self.said()[-2000:]}"
            self.start()

    def wait(self, timeout=90):
        """Waits for an exit that the worker decides on itself."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            print(tail(self.log))
            raise AssertionError(f"the worker did not end within {timeout} s") from None

    def terminate(self, timeout=20):
        """SIGTERM; returns (exit code, seconds)."""
        began = time.monotonic()
        code = stop(self.process, signal.SIGTERM, timeout)
        return code, time.monotonic() - began

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def reload_and_wait(self):
        before = len(self.lines("reloaded"))
        self.reload()
        wait_until(lambda: len(self.lines("reloaded")) > before, what="the workspace to be read anew")

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        if self.running():
            self.process.kill()
        self.process.wait()

    def end(self):
        """For tidying up: whatever state it is in, it is gone afterwards."""
        if self.running():
            self.resume()
            stop(self.process, signal.SIGTERM, 10)
