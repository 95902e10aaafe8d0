"""waymark top: against a server that says what a test wants, printed and on a terminal of our own."""
import fcntl
import http.server
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import termios
import threading
import time

import pytest
from conftest import COMMAND, waymark

PATIENCE = 40
BOUNDS = [1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000,
          60000000, 300000000]


def moment(us):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(us // 1000000)) + f".{us % 1000000:06}Z"


def status(step, **changes):
    """What a worker says at its step N, a second after the one before: everything grows by a fixed number."""
    def histogram(bucket):
        return {"sum-us": step, "counts": [100 * step if i == bucket else 0 for i in range(17)]}

    said = {
        "worker": "w1", "group": "g", "delivery": "exactly-once", "version": "1", "ready": True, "state": "ready",
        "checks": [{"name": "loop", "ok": True}], "time": moment(1795255200000000 + step * 1000000),
        "workspace": "3f9c2a417b60", "catalogue": "3f9c2a417b60", "automations": 2, "roles": 2,
        "events": {"read": 1000 + 250 * step, "rejected": 0}, "tasks": {"changed": 40 * step, "unchanged": 60 * step, "failed": 0},
        "codes": {}, "transactions": {"committed": 20 * step, "aborted": 0, "uncertain": 0},
        "times": {"bounds-us": BOUNDS, "commit-latency": histogram(5), "redis-latency": histogram(6), "batch": histogram(4),
                  "commit": histogram(3), "redis-fetch": histogram(0)},
        "partitions": {"foreign": 0, "split": 0, "behind": 0, "live": 4}, "lag": 12, "unapplied": 3, "unprojected": 0,
        "drift": {"users": 0, "checked": 50, "rounds": 1},
        "lags": [{"topic": "events", "partition": p, "state": "live", "lag": p * p} for p in range(4)], "failures": []}
    return {**said, **changes}


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128  # many workers on one port


class Fake(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked += 1
        which = self.path.split("/")[1:-1]
        self.server.steps[self.path] = step = self.server.steps.get(self.path, 0) + 1
        body = self.server.say(step, *which)
        if isinstance(body, dict):
            body = json.dumps(body)
        self.send_response(self.server.code)
        self.end_headers()
        self.wfile.write(body if isinstance(body, bytes) else body.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def fake():
    """fake(say) is the URL of a worker that answers say(N) to the Nth question; below it, URL/a, say(N, "a")."""
    servers = []

    def start(say=status, code=200):
        server = Server(("127.0.0.1", 0), Fake)
        server.say, server.code, server.asked, server.steps = say, code, 0, {}
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        servers.append(server)
        start.last = server
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def nobody():
    """The URL of a port that is taken, and at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def row(text, first):
    """The cells of the first line that begins so."""
    lines = [re.sub(r"  +", "  ", line) for line in text.splitlines()]
    return next(line.split("  ") for line in lines if line.startswith(first))


# --- printed ---

def test_rates_and_times_come_from_two_answers(fake):
    done = waymark("top", fake(), "--once", "--every", "0.1")
    assert done.code == 0 and done.err == "" and "\033" not in done.out
    assert row(done.out, "w1  ready") == ["w1", "ready", "4", "12", "250", "100", "0", "3", "0"]
    assert row(done.out, "a second")[:4] == ["a second", "0", "40", "60"]
    assert row(done.out, "w1  37") == ["w1", "37 / 49 ms", "75 / 99 ms", "17 / 24 ms", "7.5 / 9.9 ms", "20", "0.5 / 1.0 ms"]
    lags = done.out[done.out.index("TOPIC"):].splitlines()[1:]
    assert [re.split(r"  +", line)[1:3] for line in lags] == [["3", "9"], ["2", "4"], ["1", "1"], ["0", "0"]]
    assert "ALARM" not in done.out


def test_so_many_screens_as_were_asked_for(fake):
    done = waymark("top", "--url", fake(), "--count", "3", "--every", "0.1")
    assert (done.code, done.out.count("waymark top")) == (0, 3)
    assert fake.last.asked == 4  # the first one is to compare with


def test_failures_and_what_is_wrong_are_told(fake):
    failure = {"time": "2026-11-22T10:00:00Z", "code": "ROLE_UNKNOWN", "automation": "join", "sequence": 10, "origin": "events/1/7"}

    def say(step):
        return status(step, ready=False, state="not ready", paused="redis", codes={"ROLE_UNKNOWN": 7 * step, "EVENT_DEPTH": 2},
                      checks=[{"name": "redis", "ok": False, "trouble": "can't be reached"}],
                      tasks={"failed": 7 * step}, partitions={"live": 3, "split": 1}, drift={"users": 3}, **{"stuck-us": 42000000},
                      transactions={"committed": 5, "aborted": 0, "uncertain": 2 * step},
                      failures=[failure, {**failure, "time": "2026-11-22T10:00:05Z", "origin": "events/1/8"},
                                {"time": "2026-11-22T09:00:00Z", "code": "EVENT_DEPTH", "origin": "events/0/1"}])

    done = waymark("top", fake(say), "--once", "--every", "0.1")
    assert done.code == 1
    assert row(done.out, "w1  paused: redis")[6] == "7"
    alarms = done.out[done.out.index("ALARM"):done.out.index("TASKS  ")]
    for words in ("redis: can't be reached", "because of: redis", "another worker's, a wrong deploy: 1", "not what the log says: 3", "stood still for 42 s",
                  "failed tasks a second: 7.0", "without an answer: 2.0"):
        assert words in alarms
    assert row(done.out, "ROLE_UNKNOWN") == ["ROLE_UNKNOWN", "7", "14"]
    assert row(done.out, "EVENT_DEPTH") == ["EVENT_DEPTH", "0", "2"]
    last = done.out[done.out.index("LAST FAILURES"):].splitlines()[1:4]
    assert [line.split()[-1] for line in last] == ["events/1/8", "events/1/7", "events/0/1"]


def test_several_workers_stand_on_one_screen(fake, nobody):
    gone = nobody
    urls = [fake(), fake(lambda step: status(step, worker="w2", lags=[{"topic": "t", "partition": 9, "state": "behind", "lag": 5}]))]
    done = waymark("top", *urls, gone, "--once", "--every", "0.1")
    assert done.code == 1 and "2 of 3 ready" in done.out
    assert row(done.out, gone)[:2] == [gone, "no answer"] and f"{gone}' can't be asked: Connection refused" in done.out
    assert row(done.out, "a second")[2] == "80", "the sum of both"
    lags = [re.split(r"  +", line) for line in done.out[done.out.index("TOPIC"):].splitlines()[1:]]
    assert [(cells[0], cells[2], cells[5]) for cells in lags] == [
        ("events", "9", "w1"), ("t", "5", "w2"), ("events", "4", "w1"), ("events", "1", "w1"), ("events", "0", "w1")]
    assert waymark("top", gone, "--once", "--every", "0.1").code == 3


def test_a_worker_that_begins_anew_has_no_rate_below_nothing(fake):
    done = waymark("top", fake(lambda step: status(step, events={"read": 1000 - 100 * step})), "--once", "--every", "0.1")
    assert row(done.out, "w1  ready")[4] == "–" and "-" not in row(done.out, "w1  ready")[4]


def test_a_loop_that_stands_still_is_told(fake):
    done = waymark("top", fake(lambda step: status(1)), "--count", "3", "--every", "1.8")
    assert "its loop has shown nothing new for" in done.out.split("waymark top")[-1]
    assert row(done.out, "w1  ready")[4] == "–"


NONSENSE = [
    "", "nonsense", "[]", "5", "null", "{}", '{"worker":5,"state":"ready"}', b"\xff\xfe{}", "{" * 100000, "[" * 100000,
    json.dumps({"worker": "w", "state": "ready", "pad": "x" * 2000000}),
]
ODD = [None, True, -1, 5, 1e300, 2**63, -2**63, 2**53, "x", "\u202e\033]0;owned\a", [], [None], [[[]]], {}, {"a": None}, [{}],
       [{"lag": -5, "partition": 2**62, "topic": "\033[2J", "state": 7, "ok": 0, "name": "\033[2J", "trouble": "\r\n"}],
       {"read": 2**62, "live": -2**62, "failed": "\033", "bounds-us": list(range(16)), "\033[2J": 5},
       {"bounds-us": BOUNDS, "commit": {"counts": [2**53] * 17}, "batch": {"counts": [-1] * 17}}, "ü" * 300, "x" * 5000]


@pytest.mark.parametrize("body", NONSENSE, ids=range(len(NONSENSE)))
def test_who_answers_nonsense_is_shown_as_that(fake, body):
    url = fake(lambda step: body)
    done = waymark("top", url, fake(), "--once", "--every", "0.1")
    assert done.code == 1 and row(done.out, url)[1] == "no answer"
    assert f"{url}  is no worker of Waymark" in done.out and "w1" in done.out


def test_another_status_is_no_answer(fake):
    assert "is no worker of Waymark: HTTP status 503" in waymark("top", fake(code=503), "--once", "--every", "0.1").out


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_whatever_a_member_is_nothing_reaches_the_terminal_as_it_came(fake, odd):
    """Each member in turn, by a worker of its own: in the second answer only, in both, and in the first only."""
    names = [name for name in status(1) if name not in ("worker", "state", "time")]

    def say(step, name):
        return status(step, **({name: odd} if step in (2, 3) else {}))

    url = fake(say)
    done = waymark("top", *[f"{url}/{name}" for name in names], "--count", "3", "--every", "0.1")
    assert done.code in (0, 1) and done.err == "" and len(names) == 21
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e]", done.out)
    assert max(map(len, done.out.splitlines())) < 1500


def test_hostile_names_are_made_safe(fake):
    evil = "\033[2Jx\u202ey\nz"
    done = waymark("top", fake(lambda step: status(step, worker=evil, state=evil, paused=evil, codes={evil: step})), "--once",
                   "--every", "0.1")
    assert r"\x1b[2Jx" in done.out and "\033" not in done.out and "\u202e" not in done.out


def test_who_does_not_answer_in_time_keeps_nobody_waiting():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        done = waymark("top", f"http://127.0.0.1:{silent.getsockname()[1]}", "--once", "--every", "0.1")
        assert done.code == 3 and "no answer" in done.out and time.monotonic() - began < 30


@pytest.mark.parametrize("words, complaint", [
    (["ftp://x"], "is no URL of a worker"), (["--url", "x:1"], "is no URL of a worker"), (["--url", ","], "names no worker"),
    (["http://x", "--count", "0"], "no number of screens"), (["http://x", "--count", "two"], "no number of screens"),
    (["http://x", "--every", "0"], "0.1 seconds to 1 hour"), (["http://x", "--every", "soon"], "is no time"),
    (["http://x", "--every", "nan"], "0.1 seconds to 1 hour"), (["http://x", "--every", "2h"], "0.1 seconds to 1 hour"),
    (["http://x"] * 65, "more than 64 workers")])
def test_wrong_usage(words, complaint):
    done = waymark("top", *words)
    assert done.code == 2 and complaint in done.err and done.out == ""


def test_without_an_address_it_is_the_worker_of_the_workspace(fake, workspace):
    url = fake()
    (workspace / "waymark.yaml").write_text(f"http: {{ listen: \"{url[len('http://'):]}\" }}\n")
    assert waymark("top", "-C", workspace, "--once", "--every", "0.1").code == 0
    (workspace / "waymark.yaml").write_text('http: { listen: "" }\n')
    done = waymark("top", "-C", workspace, "--once")
    assert done.code == 2 and "names no port" in done.err


# --- on a terminal ---

class Screen:
    """A terminal with a program in it: what it shows, and how it was left."""
    ENTER, LEAVE = b"\033[?1049h", b"\033[?1049l"

    def __init__(self, *arguments, rows=50, columns=110, **environment):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update({"TERM": "xterm", **environment})
            os.execv(COMMAND, [COMMAND, "top", *map(str, arguments)])
        self.bytes, self.rows, self.columns = b"", rows, columns
        self.mode = termios.tcgetattr(self.fd)
        self.resize(rows, columns)

    def resize(self, rows, columns):
        self.rows, self.columns = rows, columns
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds=0.05):
        """False: the program has let go of the terminal."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            part = os.read(self.fd, 65536)
        except OSError:
            return False
        self.bytes += part
        return bool(part)

    def frames(self):
        """Each screen that was drawn as a whole, without colours: a list of lines."""
        drawn = self.bytes.split(b"\033[H\033[2K")[1:]
        whole = [part.split(b"\033[J")[0] for part in drawn if b"\033[J" in part]
        return [re.sub(r"\033\[[0-9;?]*[A-Za-z]", "", part.decode()).replace("\r", "").splitlines() for part in whole]

    def until(self, says, what):
        """Until a screen drawn from now on fulfils 'says'."""
        seen, end = len(self.frames()), time.monotonic() + PATIENCE
        while time.monotonic() < end:
            assert self.read(), f"ended before {what}"
            for frame in self.frames()[seen:]:
                if says("\n".join(frame)):
                    return frame
        raise AssertionError(f"never {what}: {self.frames()[-1:]}")

    def type(self, keys):
        os.write(self.fd, keys)

    def end(self):
        """The exit code, or minus the signal; the terminal has to be as it was."""
        end = time.monotonic() + PATIENCE
        while True:
            pid, code = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                break
            self.read(0.02)
            assert time.monotonic() < end, "it does not end"
        mode = termios.tcgetattr(self.fd)
        while self.read(0) and select.select([self.fd], [], [], 0)[0]:
            pass
        assert self.bytes.count(self.ENTER) == self.bytes.count(self.LEAVE) > 0
        assert self.bytes.rindex(self.LEAVE) > self.bytes.rindex(self.ENTER)
        assert self.bytes.rindex(b"\033[?25h") > self.bytes.rindex(b"\033[?25l"), "the cursor is back"
        assert self.bytes.rindex(b"\033[?7h") > self.bytes.rindex(b"\033[?7l")
        assert mode == self.mode, "keys are what they were"
        os.close(self.fd)
        return os.waitstatus_to_exitcode(code)


def test_a_screen_is_drawn_again_and_q_quits(fake):
    screen = Screen(fake(), "--every", "0.2")
    screen.until(lambda text: "250" in text and "w1" in text, "rates")
    lflag = termios.tcgetattr(screen.fd)[3]
    assert not lflag & termios.ICANON and not lflag & termios.ECHO
    screen.until(lambda text: "waymark top" in text, "another one")
    screen.type(b"q")
    assert screen.end() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGABRT, signal.SIGSEGV])
def test_every_end_gives_the_terminal_back(fake, number):
    screen = Screen(fake(), "--every", "0.2")
    screen.until(lambda text: "w1" in text, "the worker")
    os.kill(screen.pid, number)
    code = screen.end()
    if number != signal.SIGSEGV:  # a sanitizer has an end of its own for that
        assert code == {signal.SIGINT: 0, signal.SIGABRT: 4}.get(number, -number)


def test_in_the_background_it_stops_and_can_be_ended(fake):
    """timeout gives it a process group of its own, which the terminal does not serve."""
    url = fake()
    pid, fd = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm"
        os.execvp("timeout", ["timeout", "1", COMMAND, "top", url])
    end = time.monotonic() + PATIENCE
    while (ended := os.waitpid(pid, os.WNOHANG))[0] == 0:
        assert time.monotonic() < end, "it does not end"
        time.sleep(0.05)
    assert os.waitstatus_to_exitcode(ended[1]) == 124
    mode = termios.tcgetattr(fd)[3]
    assert mode & termios.ICANON and mode & termios.ECHO
    os.close(fd)


def test_a_stop_gives_it_back_and_takes_it_again(fake):
    screen = Screen(fake(), "--every", "0.2")
    screen.until(lambda text: "w1" in text, "the worker")
    os.kill(screen.pid, signal.SIGTSTP)
    end = time.monotonic() + PATIENCE
    while not os.WIFSTOPPED(os.waitpid(screen.pid, os.WNOHANG | os.WUNTRACED)[1]):
        screen.read(0.02)
        assert time.monotonic() < end, "it does not stop"
    while screen.bytes.count(screen.LEAVE) < 1:
        assert screen.read(1)
    assert termios.tcgetattr(screen.fd) == screen.mode
    os.kill(screen.pid, signal.SIGCONT)
    screen.until(lambda text: "w1" in text, "the worker again")
    screen.type(b"q")
    assert screen.end() == 0


def test_p_pauses_and_goes_on(fake):
    screen = Screen(fake(), "--every", "0.2")
    screen.until(lambda text: "w1" in text, "the worker")
    screen.type(b"p")
    screen.until(lambda text: "paused, p goes on" in text, "paused")
    while screen.read(0.6) and select.select([screen.fd], [], [], 0.6)[0]:
        pass
    asked = fake.last.asked
    assert screen.read(1) and fake.last.asked == asked, "nobody is asked meanwhile"
    screen.type(b"p")
    screen.until(lambda text: "p pauses" in text, "going on")
    screen.until(lambda text: fake.last.asked > asked + 1, "asking")
    screen.type(b"\033[A\033OP")  # keys that mean nothing
    screen.type(b"q")
    assert screen.end() == 0


def test_s_sorts_the_partitions(fake):
    lags = {1: [50, 10, 30], 2: [50, 30, 31]}
    screen = Screen(fake(lambda step: status(step, lags=[
        {"topic": "t", "partition": p, "state": "live", "lag": lag} for p, lag in enumerate(lags[1 + step % 2])])), "--every", "0.2")

    def order(text):
        return "".join(line.split()[1] for line in text.splitlines() if re.match(r"t  +\d  ", line))

    screen.until(lambda text: order(text) == "021", "sorted by lag")
    screen.type(b"s")
    screen.until(lambda text: order(text) in ("120", "021") and "sorts by topic" in text, "sorted by growth")
    screen.type(b"s")
    screen.until(lambda text: order(text) == "012" and "sorts by lag" in text, "sorted by topic")
    screen.type(b"q")
    assert screen.end() == 0


def test_a_terminal_that_changes_its_size_is_filled_and_never_overflows(fake):
    failures = [{"time": f"2026-11-22T10:00:{n:02}Z", "code": "ROLE_UNKNOWN", "automation": "join", "sequence": 10,
                 "origin": f"events/1/{n}"} for n in range(20)]
    url = fake(lambda step: status(step, failures=failures, codes={f"CODE_{n}": step for n in range(30)},
                                   lags=[{"topic": "events", "partition": p, "state": "live", "lag": p} for p in range(200)]))
    screen = Screen(url, "--every", "0.2")
    full = screen.until(lambda text: "and 1" in text and "LAST FAILURES" in text and "TO COMMIT" in text, "all sections")
    assert len(full) == 49 and all(len(line) <= 110 for line in full)
    for rows, columns in ((24, 80), (10, 40), (3, 20), (1, 1), (200, 300)):
        screen.resize(rows, columns)
        frame = screen.until(lambda text: len(text.splitlines()) <= max(rows - 1, 0) and
                             all(len(line) <= columns for line in text.splitlines()), f"{rows} x {columns}")
        assert rows < 24 or sum(line.startswith("events ") for line in frame) > 1, "partitions have room on a usual terminal"
        assert not any("↳" in line for line in frame), "a row is a line"
    screen.until(lambda text: len(text.splitlines()) > 100, "as many partitions as fit")
    screen.type(b"q")
    assert screen.end() == 0


def test_a_worker_that_hangs_leaves_the_keys_alone(fake):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        screen = Screen(f"http://127.0.0.1:{silent.getsockname()[1]}", fake(), "--every", "0.2")
        screen.until(lambda text: re.search(r"^w1 .*250", text, re.MULTILINE) and "asked" in text, "the one that answers")
        screen.until(lambda text: "no answer" in text, "the other one")
        screen.type(b"q")
        assert screen.end() == 0


def test_a_worker_that_disappears_and_comes_back(fake):
    away = threading.Event()
    url = fake(lambda step: "" if away.is_set() else status(step))
    screen = Screen(url, "--every", "0.2")
    screen.until(lambda text: "w1" in text, "the worker")
    away.set()
    screen.until(lambda text: "no answer" in text and url in text, "its absence")
    away.clear()
    screen.until(lambda text: "w1" in text and "no answer" not in text, "it again")
    screen.type(b"q")
    assert screen.end() == 0


def test_a_dumb_terminal_gets_no_escapes_and_no_color_no_colours(fake):
    url = fake()
    pid, fd = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "dumb"
        os.execv(COMMAND, [COMMAND, "top", url, "--once", "--every", "0.1"])
    shown = b""
    while True:
        try:
            part = os.read(fd, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.waitpid(pid, 0)
    os.close(fd)
    assert b"w1" in shown and b"\033" not in shown
    screen = Screen(url, "--every", "0.2", NO_COLOR="1")
    screen.until(lambda text: "w1" in text, "the worker")
    screen.type(b"q")
    assert screen.end() == 0
    assert not re.search(rb"\033\[[0-9;]*[1-9]m", screen.bytes)


def test_a_terminal_that_goes_away_ends_it(fake):
    screen = Screen(fake(), "--every", "0.2")
    screen.until(lambda text: "w1" in text, "the worker")
    os.close(screen.fd)
    end = time.monotonic() + PATIENCE
    while os.waitpid(screen.pid, os.WNOHANG)[0] == 0:
        assert time.monotonic() < end, "it does not end"
        time.sleep(0.02)


def test_a_pipe_that_is_closed_ends_it(fake):
    with subprocess.Popen([COMMAND, "top", fake(), "--every", "0.1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(PATIENCE) == 3 and b"standard output" in process.stderr.read()
