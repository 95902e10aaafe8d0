"""Child processes that never outlive the test run, and ports that are theirs."""
import ctypes
import fcntl
import os
import pathlib
import random
import signal
import socket
import subprocess
import tempfile
import time

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


def _die_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def spawn(arguments, log_path, env=None):
    """Starts a child whose output is appended to log_path and which the kernel kills when the test run dies."""
    with open(log_path, "ab") as log:
        return subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env=env, start_new_session=True, preexec_fn=_die_with_parent)


def stop(process, signum=signal.SIGTERM, timeout=20):
    """Ends one child by its id and returns its exit code; kills it when it does not want to."""
    if process.poll() is None:
        process.send_signal(signum)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
    return process.returncode


_kept = []  # open files of the ports that this process has taken


def free_ports(count):
    """Ports that are ours until this process ends, also while nobody listens: a broker takes seconds to start, and comes
    back on its port after a while. So they are none that the kernel gives to whoever connects, and runs beside this one
    see by a locked file that they are taken."""
    folder = pathlib.Path(tempfile.gettempdir()) / f"waymark-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    found = []
    for port in random.sample(_ports(), len(_ports())):
        if len(found) == count:
            return found
        if _take(folder / str(port)):
            if _is_free(port):
                found.append(port)
            else:
                _kept.pop().close()
    raise AssertionError("no free ports")


def _ports():
    low, high = map(int, pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    return [port for port in range(10000, 65536) if not low <= port <= high] or list(range(10000, 65536))


def _take(path):
    file = open(path, "ab")  # pylint: disable=consider-using-with
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return False
    _kept.append(file)
    return True


def _is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True


def wait_until(condition, timeout=60, interval=0.05, what="the condition", alive=()):
    """Polls until condition() is truthy and returns that; fails at once when a process of `alive` has ended."""
    deadline = time.monotonic() + timeout
    while True:
        answer = condition()
        if answer:
            return answer
        for process in alive:
            assert process.poll() is None, f"waiting for {what}: process ended with {process.returncode}"
        assert time.monotonic() < deadline, f"waited {timeout} s for {what}"
        time.sleep(interval)


def tail(path, lines=30):
    try:
        with open(path, "rb") as file:
            return b"\n".join(file.read().splitlines()[-lines:]).decode("utf-8", "replace")
    except OSError:
        return ""
