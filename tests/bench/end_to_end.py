#!/usr/bin/python3
"""End to end on real Kafka and real Redis, beside the same consumer consuming only, in one run.

Prints: events per second and their ratio to consuming only; CPU of the worker per 100 000 events; its memory;
record timestamp to role in Redis; rebuilding Redis from waymark.users; the idle worker. Absolute figures are this machine's;
the ratio is what compares.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import ConfigResource

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[0] / "lib" / "broker"))

from waymark_testlib.kafka import Broker, Sender  # noqa: E402
from waymark_testlib.process import wait_until  # noqa: E402
from waymark_testlib.redis_server import Redis  # noqa: E402
from waymark_testlib.worker import Worker, build_folder  # noqa: E402
from waymark_testlib.workspace import Workspace  # noqa: E402

PARTITIONS = 4
RULES = """
role: certified
---
role: welcome
---
channel: mail
---
automation: certify
trigger: journey.milestone.achieved
when:
  data.journey: onboarding
  data.score: { at-least: 10 }
tasks:
  - { name: Grant the certified role, sequence: 10, type: change-role, role: certified, action: add }
  - { name: Take the welcome role, sequence: 20, type: change-role, role: welcome, action: remove }
  - { name: Tell the partner, sequence: 30, type: notify, channel: mail, title: Done,
      message: "You reached {{ data.milestone }} with {{ data.score }}" }
"""


def event(number, user, padding=""):
    return json.dumps({
        "specversion": "1.0", "id": f"evt-{number}{padding}", "source": "/journeys", "type": "journey.milestone.achieved",
        "subject": user, "data": {"journey": "onboarding", "milestone": "certified", "phase": "foundation",
                                  "enrollment": f"enr-{number}", "score": 10 + number % 90, "region": "emea-west"}}).encode()


class Bench:
    def __init__(self, folder, options, broker=None):
        self.folder, self.options = folder, options
        self.broker = Broker(folder / "broker", broker).start()
        self.redis = Redis(folder / "redis").start()

    def close(self):
        self.redis.stop()
        self.broker.stop()

    def workspace(self, name, **settings):
        (self.folder / name).mkdir()
        return Workspace(self.folder / name, self.broker, self.redis, partitions=PARTITIONS, documents=RULES,
                         **settings).create_topics()

    def fill(self, workspace, count, users, padding=""):
        sender = Sender(self.broker, PARTITIONS)
        for number in range(count):
            user = f"user-{number % users}"
            sender.of_user(workspace.events, user, event(number, user, padding))
        sender.flush()

    def yardstick(self, workspace, count):
        output = subprocess.run([build_folder() / "tests" / "bench_consume", self.broker.bootstrap, workspace.events,
                                 str(count)], capture_output=True, text=True, check=True)
        return float(output.stdout)


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mib(pid, what):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) / 1024
    return 0.0


class Lag:
    """How many of the events that stand in the input topic the group has not committed. All of it is asked over one
    connection, in one request: what an observer costs is taken from the same cores."""

    def __init__(self, workspace):
        self.ends = workspace.broker.ends(workspace.events)
        self.consumer = Consumer({"bootstrap.servers": workspace.broker.bootstrap, "group.id": workspace.group,
                                  "isolation.level": "read_uncommitted"})

    def __call__(self):
        asked = [TopicPartition(topic, partition) for topic, partition in self.ends]
        return sum(self.ends[answer.topic, answer.partition] - max(answer.offset, 0)
                   for answer in self.consumer.committed(asked, timeout=30))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.consumer.close()


def wait_drained(workspace, worker, timeout):
    with Lag(workspace) as lag:
        wait_until(lambda: lag() == 0, timeout, 0.05, "the last commit", [worker.process])


def drain(workspace, worker, pids, count):
    """Seconds from the first to the last committed offset, and the CPU of each process, scaled to all of 'count'."""
    with Lag(workspace) as lag:
        wait_until(lambda: lag() < count, 60, 0.02, "the first commit", [worker.process])
        left, began, before = lag(), time.monotonic(), [cpu_seconds(pid) for pid in pids]
        samples = [(began, left)]

        def drained():
            samples.append((time.monotonic(), lag()))
            return samples[-1][1] == 0

        wait_until(drained, 1200, 0.05, "the last commit", [worker.process])
        took, after = time.monotonic() - began, [cpu_seconds(pid) for pid in pids]
    return took * count / left, [(b - a) * count / left for a, b in zip(before, after)], thirds(samples)


def thirds(samples):
    """Events per second in the first, second and last third of the time: is it flat?"""
    first, last = samples[0][0], samples[-1][0]
    edges = [first + (last - first) * part / 3 for part in range(4)]
    at_edges = [min(samples, key=lambda sample: abs(sample[0] - edge)) for edge in edges]
    return [(a[1] - b[1]) / (b[0] - a[0]) for a, b in zip(at_edges, at_edges[1:])]


def throughput(bench):
    count = bench.options.events
    workspace = bench.workspace("throughput")
    bench.fill(workspace, count, bench.options.users)
    print(f"{count} events of {len(event(1, 'user-1'))} bytes, {bench.options.users} users, {PARTITIONS} partitions, "
          "3 tasks each, exactly once; broker, Redis and worker on the same cores", flush=True)
    yardstick = [bench.yardstick(workspace, count)]
    worker = Worker(workspace).start()
    pids = worker.process.pid, bench.broker.process.pid, bench.redis.process.pid
    took, cpu, parts = drain(workspace, worker, pids, count)
    yardstick.append(bench.yardstick(workspace, count))
    rate, bar = count / took, statistics.mean(yardstick)
    print(f"  consuming only            {yardstick[0]:>10.0f} and {yardstick[1]:.0f} events/s (before and after)")
    print(f"  end to end                {rate:>10.0f} events/s = {rate / bar:.2f} x consuming only")
    print(f"  over the time             {' '.join(f'{part:.0f}' for part in parts):>10} events/s in each third")
    worker_cpu, broker_cpu, redis_cpu = (seconds * 100000 / count for seconds in cpu)
    print(f"  CPU of the worker         {worker_cpu:>10.2f} s per 100 000 events (broker {broker_cpu:.2f}, "
          f"Redis {redis_cpu:.2f}; {sum(cpu) / took:.2f} cores in all)")
    print(f"  memory under load         {memory_mib(worker.process.pid, 'VmHWM'):>10.0f} MiB at the highest", flush=True)
    worker.terminate()


def stream(bench, workspace, name, rate, warm_up, seconds, during=lambda: None):
    """A steady stream of new users, each of whom gets a role: milliseconds from record timestamp to role in Redis, sorted,
    without those of the warm-up. 'during' is called when the warm-up is over."""
    arrived, sent = {}, {}
    listener = bench.redis.client().pubsub()
    listener.subscribe(f"{workspace.prefix}:changes")
    total = rate * (warm_up + seconds)

    def listen():
        while len(arrived) < total:
            message = listener.get_message(timeout=10)
            if message is None:
                return
            if message["type"] == "message":
                user = message["data"].decode() if isinstance(message["data"], bytes) else message["data"]
                if user.startswith(name):
                    arrived[user] = time.time()

    thread = threading.Thread(target=listen)
    thread.start()
    sender = Sender(bench.broker, PARTITIONS, **{"linger.ms": 0})
    start, warm = time.time(), False
    for number in range(total):
        due = start + number / rate
        if due > time.time():
            time.sleep(max(0.0, due - time.time()))
        user, now = f"{name}-{number}", time.time()
        if not warm and now > start + warm_up:
            warm = True
            during()
        sent[user] = now
        sender.of_user(workspace.events, user, event(number, user), timestamp=int(now * 1000))
    sender.flush()
    thread.join(60)
    print(f"record timestamp to role in Redis at {rate} events/s over {seconds} s, after {warm_up} s to warm up; "
          f"{len(arrived)} of {total} seen")
    return sorted((arrived[user] - at) * 1000 for user, at in sent.items() if user in arrived and at > start + warm_up)


def tell_latency(took):
    print(f"  p50 {took[len(took) // 2]:.0f} ms   p99 {took[int(len(took) * 0.99)]:.0f} ms   max {took[-1]:.0f} ms", flush=True)


def latency(bench):
    workspace = bench.workspace("latency")
    worker = Worker(workspace).start_ready()
    tell_latency(stream(bench, workspace, "late", 1000, 5, bench.options.latency_seconds))  # a JVM that has just started is slow
    worker.terminate()


def rebuild(bench):
    users = bench.options.rebuild_users
    workspace = bench.workspace("rebuild")
    bench.fill(workspace, users, users, padding="-" + "x" * 310)
    worker = Worker(workspace).start()
    wait_drained(workspace, worker, 300)
    client = bench.redis.client()
    key = workspace.redis_key("user-1", "user")
    wait_until(lambda: client.hget(workspace.redis_key(f"user-{users - 1}", "user"), "at"), 30, what="the last user")
    size = len(client.hget(key, "register"))
    worker.terminate()
    client.flushall()
    began = time.monotonic()
    worker = Worker(workspace).start()
    worker.wait_ready(120)
    done = time.monotonic() - began
    found = sum(1 for _ in client.scan_iter(f"{workspace.prefix}:*:user", count=10000))
    print(f"rebuild of an empty Redis from {workspace.topic['users']}: {found} users with registers of about {size} bytes")
    print(f"  {found / done:.0f} users/s, start of the worker included ({done:.1f} s)", flush=True)
    worker.terminate()


def idle(bench):
    workspace = bench.workspace("idle")
    worker = Worker(workspace).start_ready()
    time.sleep(3)
    cpu, seconds = cpu_seconds(worker.process.pid), 20
    time.sleep(seconds)
    print("idle")
    print(f"  CPU {(cpu_seconds(worker.process.pid) - cpu) / seconds * 100:.1f} %   "
          f"memory {memory_mib(worker.process.pid, 'VmRSS'):.0f} MiB", flush=True)
    worker.terminate()


def whole_run(bench):
    """From the start of the process to the last commit: what joining the group costs counts on both sides. A broker lets a
    new group wait for more members, 3 s unless it is told otherwise; those of the tests are."""
    for delay_ms in (0, 3000):
        own = Bench(bench.folder / f"joining-{delay_ms}", bench.options, {"group.initial.rebalance.delay.ms": delay_ms})
        try:
            measure_whole_run(own, f"new groups wait {delay_ms} ms")
        finally:
            own.close()


def measure_whole_run(bench, what):
    count = bench.options.events
    workspace = bench.workspace("whole-run")
    bench.fill(workspace, count, bench.options.users)
    began = time.monotonic()
    bench.yardstick(workspace, count)
    yardstick = time.monotonic() - began
    began = time.monotonic()
    worker = Worker(workspace).start()
    wait_drained(workspace, worker, 120)
    took = time.monotonic() - began
    print(f"{count} events from the start of the process, {what}")
    print(f"  consuming only            {count / yardstick:>10.0f} events/s")
    print(f"  end to end                {count / took:>10.0f} events/s = {yardstick / took:.2f} x consuming only", flush=True)
    worker.terminate()


def flat(bench):
    """More than it can take, for minutes: rate and memory of each minute. Old outputs are deleted meanwhile."""
    workspace = bench.workspace("flat")
    admin = bench.broker.admin()  # held: its futures fail when it goes away
    for topic in bench.broker.topics():
        if topic in [workspace.topic[name] for name in ("outcomes", "changes", "failures", "notifications")]:
            resource = ConfigResource(ConfigResource.Type.TOPIC, topic,
                                      {"retention.bytes": "268435456", "segment.bytes": "67108864"})
            admin.alter_configs([resource])[resource].result()
    producer = subprocess.Popen([build_folder() / "tests" / "bench_produce", bench.broker.bootstrap, workspace.events,
                                 str(bench.options.flat_rate), str(bench.options.users)])
    try:
        worker = Worker(workspace).start_ready()
        print(f"{bench.options.minutes} minutes under {bench.options.flat_rate} events/s, more than it can take")
        done = 0
        for minute in range(bench.options.minutes):
            began = time.monotonic()
            time.sleep(60)
            now = sum(offset or 0 for offset in bench.broker.committed(workspace.group, workspace.events).values())
            print(f"  minute {minute + 1:>2}  {(now - done) / (time.monotonic() - began):>8.0f} events/s   "
                  f"memory {memory_mib(worker.process.pid, 'VmRSS'):.0f} MiB", flush=True)
            done = now
        worker.terminate()
    finally:
        producer.kill()
        producer.wait()


PARTS = {"throughput": throughput, "whole-run": whole_run, "latency": latency, "rebuild": rebuild, "idle": idle,
         "flat": flat}
DEFAULT = [part for part in PARTS if part != "flat"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", help=f"some of: {', '.join(PARTS)} (default: all but flat)")
    parser.add_argument("--events", type=int, default=300000)
    parser.add_argument("--users", type=int, default=20000)
    parser.add_argument("--latency-seconds", type=int, default=20)
    parser.add_argument("--rebuild-users", type=int, default=100000)
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--flat-rate", type=int, default=35000)
    options = parser.parse_args()
    unknown = [part for part in options.parts if part not in PARTS]
    if unknown:
        parser.error(f"unknown part '{unknown[0]}'")
    with tempfile.TemporaryDirectory(prefix="waymark-bench-") as folder:
        bench = Bench(pathlib.Path(folder), options)
        try:
            for part in options.parts or DEFAULT:
                PARTS[part](bench)
        finally:
            bench.close()


if __name__ == "__main__":
    main()
