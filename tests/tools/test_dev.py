"""waymark dev: the sample, the whole way, and back to the prompt by itself."""
import pathlib
import shutil
import tempfile
import time

import pytest
from conftest import SAMPLE, event, lines, waymark

pytestmark = pytest.mark.skipif(not shutil.which("redis-server"), reason="no redis-server")


@pytest.fixture
def short():
    """A temporary folder with a path that a Unix socket can have."""
    with tempfile.TemporaryDirectory(prefix="wm", dir="/tmp") as folder:
        yield pathlib.Path(folder)


def test_the_sample_goes_the_whole_way(short):
    began = time.monotonic()
    done = waymark("dev", SAMPLE, env={"TMPDIR": str(short)})
    assert done.code == 0, done.out + done.err
    assert time.monotonic() - began < 60
    assert "all as 'waymark simulate' says" in done.out
    # a task fails, and the later one runs
    rows = [line for line in done.out.splitlines() if line.startswith("carla") and "welcome-partner" in line]
    assert "failed" in rows[0] and "ROLE_TYPE_MISMATCH" in rows[0]
    assert "requested" in rows[1] and "Welcome the partner" in rows[1]
    assert "EVENT_INVALID" in done.out
    # the roles and why
    held = done.out.split("The roles in Redis")[1]
    assert any(line.split()[:3] == ["ada", "expert-partner", "yes"] for line in held.splitlines())
    assert "derived: the org unit is emea or below" in held
    assert list(short.iterdir()) == []
    assert "\033" not in done.out


def test_another_workspace(workspace):
    (workspace / "events.jsonl").write_text(lines(event(1, time=None), "", event(2, subject="u2"), event(2, subject="u2")))
    done = waymark("dev", workspace)
    assert done.code == 0, done.out + done.err
    assert "3 events, 2 task outcomes, 0 rejected" in done.out


def test_an_invalid_workspace(workspace):
    (workspace / "bad.yaml").write_text("automation: [")
    done = waymark("dev", workspace)
    assert done.code == 1 and "invalid" in done.err


def test_without_events(workspace):
    done = waymark("dev", workspace)
    assert done.code == 2 and "events.jsonl" in done.err
