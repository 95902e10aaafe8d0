"""The command as a user calls it. WAYMARK_COMMAND names the program; ctest sets it."""
import json
import os
import pathlib
import resource
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMAND = os.environ.get("WAYMARK_COMMAND") or str(ROOT / "build" / "waymark")
SAMPLE = ROOT / "deploy" / "sample"


class Done:
    """What a call came to."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def json(self):
        return [json.loads(line) for line in self.out.splitlines()]


def waymark(*arguments, stdin="", cwd=None, env=None):
    environment = {key: value for key, value in os.environ.items() if key != "WAYMARK_WORKSPACE"}
    environment.update(env or {})
    data = stdin if isinstance(stdin, bytes) else stdin.encode()
    done = subprocess.run([COMMAND, *map(str, arguments)], input=data, capture_output=True, timeout=240, cwd=cwd,
                          env=environment)
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode("utf-8", "surrogateescape"))


def cpu_seconds():
    """What all calls that have ended took: a busy machine lets them wait, but they need no more for that."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


ROLE = "role: member\nlabel: Member\n"
AUTOMATION = """\
automation: join
trigger: journey.milestone.achieved
when:
  data.milestone: joined
tasks:
  - name: Make a member
    sequence: 10
    type: change-role
    role: member
    action: add
"""


def event(number=1, **changes):
    """A good event; None leaves a member out."""
    base = {"specversion": "1.0", "id": f"e{number}", "source": "/t", "type": "journey.milestone.achieved",
            "subject": "u1", "time": f"2026-01-01T00:00:{number:02}Z", "data": {"milestone": "joined"}}
    base.update(changes)
    return {key: value for key, value in base.items() if value is not None}


def lines(*events):
    return "".join((e if isinstance(e, str) else json.dumps(e)) + "\n" for e in events)


@pytest.fixture
def workspace(tmp_path):
    """A small workspace: one role, one automation that gives it."""
    folder = tmp_path / "ws"
    folder.mkdir()
    (folder / "waymark.yaml").write_text("")
    (folder / "roles.yaml").write_text(ROLE)
    (folder / "join.yaml").write_text(AUTOMATION)
    return folder


@pytest.fixture
def redis(tmp_path_factory):
    """A server of our own; redis('SET', 'a', 'b') talks to it."""
    folder = tmp_path_factory.mktemp("r")
    socket = folder / "s"
    server = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", str(socket), "--dir", str(folder),
                               "--save", "", "--maxmemory-policy", "noeviction"], stdout=subprocess.DEVNULL)

    def talk(*words):
        return subprocess.run(["redis-cli", "-s", str(socket), *words], capture_output=True, text=True, check=True)

    talk.socket = socket
    deadline = time.monotonic() + 60
    while subprocess.run(["redis-cli", "-s", str(socket), "PING"], capture_output=True).stdout != b"PONG\n":
        assert time.monotonic() < deadline and server.poll() is None, "redis-server does not answer"
        time.sleep(0.02)
    yield talk
    server.kill()
    server.wait()
