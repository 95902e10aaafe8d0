"""Child processes that never outlive the test run."""
import ctypes
import signal
import socket
import subprocess
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


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def wait_until(condition, timeout=20, interval=0.05, what="the condition", alive=()):
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
