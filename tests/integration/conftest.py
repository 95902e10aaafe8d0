"""One broker and one Redis for the whole session; a test that breaks them starts its own."""
import os
import pathlib
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "broker"))

from waymark_testlib.kafka import Broker, Sender  # noqa: E402
from waymark_testlib.process import tail  # noqa: E402
from waymark_testlib.redis_server import Redis  # noqa: E402
from waymark_testlib.worker import Worker, build_folder  # noqa: E402
from waymark_testlib.workspace import Workspace  # noqa: E402


@pytest.fixture(scope="session")
def broker(tmp_path_factory):
    broker = Broker(tmp_path_factory.mktemp("broker")).start()
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory):
    redis = Redis(tmp_path_factory.mktemp("redis")).start()
    yield redis
    redis.stop()


@pytest.fixture
def redis(shared_redis):
    """A test that kills or flushes Redis asks for own_redis instead."""
    return shared_redis


@pytest.fixture
def own_redis(tmp_path):
    redis = Redis(tmp_path / "redis").start()
    yield redis
    redis.stop()


@pytest.fixture
def workers():
    """workers(workspace) starts a ready worker; all of them are gone after the test."""
    started = []

    def start(workspace, name="worker", ready=True, **more):
        worker = Worker(workspace, name, **more)
        started.append(worker)
        return worker.start_ready() if ready else worker.start()

    yield start
    for worker in started:
        if worker.process:
            worker.end()
            print(f"--- {worker.log.name}\n{tail(worker.log, 40)}")


@pytest.fixture
def make_workspace(tmp_path, broker, redis):
    def make(documents="", redis=redis, topics=True, **more):
        workspace = Workspace(tmp_path, broker, redis, documents=documents, **more)
        return workspace.create_topics() if topics else workspace

    return make


@pytest.fixture
def sender(broker):
    return Sender(broker, 4)


@pytest.fixture
def crash():
    """crash(workspace, point, passage) starts a worker that dies there, of what comes `when_ready` if that is given."""
    started = []

    def run(workspace, point, passage, when_ready=None):
        library = build_folder() / "tests" / "crash_at.so"
        assert library.exists(), f"no {library}: configure with -DWAYMARK_TESTS=ON, and build"
        where = f"{point}:{passage}"
        mark = workspace.logs / "died-at"
        mark.unlink(missing_ok=True)
        options = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "verify_asan_link_order=0"]))
        worker = Worker(workspace, f"dies-{len(started)}", {
            "LD_PRELOAD": str(library), "WAYMARK_CRASH_AT": where, "WAYMARK_CRASH_MARK": str(mark), "ASAN_OPTIONS": options})
        started.append(worker)
        worker.start()
        if when_ready:
            worker.wait_ready()
            when_ready()
        code = worker.wait(30)
        assert code == -signal.SIGKILL, f"it ended with {code}, not at {where}: {worker.said()[-2000:]}"
        assert mark.read_text() == where

    yield run
    for worker in started:
        worker.end()
