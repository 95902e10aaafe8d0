#!/usr/bin/python3
"""What operations cost, on real Kafka and Redis: ratios within one run, since the machine is noisy.

  failures        every task of every event fails, beside the same load succeeding
  beside-replay   a live stream while `waymark replay apply` runs at its default rate, beside the stream alone
  plan            `waymark replay plan` and `apply --rate max`, beside the rate at which the worker took the same events live
"""
import argparse
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import threading
import time

import end_to_end as base
from end_to_end import PARTITIONS, Worker, build_folder, wait_until

ONE = """
role: certified
---
automation: certify
trigger: journey.milestone.achieved
when: { data.journey: onboarding, data.score: { at-least: 10 } }
tasks: [{ name: Grant, sequence: 10, type: change-role, role: ROLE, action: add }]
"""
THREE = """
role: certified
---
role: welcome
---
channel: mail
---
automation: certify
trigger: journey.milestone.achieved
when: { data.journey: onboarding, data.score: { at-least: 10 } }
tasks:
  - { name: Grant, sequence: 10, type: change-role, role: ROLE, action: add }
  - { name: Take, sequence: 20, type: change-role, role: TAKEN, action: remove }
  - { name: Tell, sequence: 30, type: notify, channel: mail, title: Done, message: "You reached {{ FIELD }}" }
"""
FINE = {"ROLE": "certified", "TAKEN": "welcome", "FIELD": "data.milestone"}
BROKEN = {"ROLE": "nowhere", "TAKEN": "nobody", "FIELD": "data.nothing"}


@contextlib.contextmanager
def before_others(bench, *processes):
    """Where others load the machine, if --nice says so: these processes, broker and Redis before everybody else. Each of
    them has a session of its own, so a nice value alone would not do."""
    own = [os.getpid(), bench.broker.process.pid, bench.redis.process.pid]

    def set_nice(pids, nice):
        for pid in pids:
            pathlib.Path(f"/proc/{pid}/autogroup").write_text(str(nice))

    if bench.options.nice:
        set_nice([*own, *(process.pid for process in processes)], bench.options.nice)
    try:
        yield
    finally:
        if bench.options.nice:
            set_nice(own, 0)


def fill_in(rules, words):
    for name, word in words.items():
        rules = rules.replace(name, word)
    return rules


def run_load(bench, name, rules):
    """Events a second from the first commit to the last, the CPU of the worker for 100 000, and the worker that has ended."""
    count = bench.options.events
    workspace = bench.workspace(name, rules)
    bench.fill(workspace, count, bench.options.users)
    worker = Worker(workspace).start()
    with before_others(bench, worker.process):
        took, cpu, _ = base.drain(workspace, worker, [worker.process.pid], count)
    worker.terminate()
    return count / took, cpu[0] * 100000 / count, worker


def failures(bench):
    """Succeeding and failing by turns, so that what others do on the machine hits both."""
    print(f"{bench.options.events} events, {bench.options.users} users, {PARTITIONS} partitions; every task of every event "
          "fails, beside the same load succeeding")
    for what, rules, tasks in (("one task", ONE, 1), ("three tasks", THREE, 3)):
        for turn in range(bench.options.rounds):
            name = f"{what.split()[0]}-{turn}"
            fine, fine_cpu, _ = run_load(bench, f"{name}-fine", fill_in(rules, FINE))
            broken, broken_cpu, worker = run_load(bench, f"{name}-broken", fill_in(rules, BROKEN))
            records = sum(bench.broker.ends(worker.workspace.topic["failures"]).values())
            assert records >= bench.options.events * tasks, f"only {records} failures"
            lines = len(worker.lines("task failed"))
            print(f"  {what:<12} fine {fine:>7.0f} events/s ({fine_cpu:.2f} s of CPU per 100 000)   failing {broken:>7.0f} "
                  f"({broken_cpu:.2f} s) = {broken / fine:.2f} x, {broken * tasks * 60:.0f} failures a minute; {lines} of "
                  f"{bench.options.events * tasks} failures are lines of the log, {len(worker.said().splitlines())} lines in all",
                  flush=True)


def call(workspace, *words):
    done = subprocess.run([build_folder() / "waymark", *map(str, words), "-C", workspace.folder], capture_output=True, text=True)
    assert done.returncode == 0, f"{words}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def measured(workspace, *words):
    """What the command said last, its seconds on the clock and of CPU, and its memory in MiB."""
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen([build_folder() / "waymark", *map(str, words), "-C", workspace.folder], stdout=said)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, f"{words}: exit {process.returncode}"
        said.seek(0)
        last = said.read().splitlines()[-1]
    return json.loads(last), time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def beside_replay(bench):
    seconds, warm_up = bench.options.latency_seconds, 5
    count = 1000 * (2 * seconds + 60)  # more than are replayed meanwhile
    workspace = bench.workspace("beside", base.RULES)
    worker = Worker(workspace).start_ready()
    print("alone: ", end="", flush=True)
    with before_others(bench, worker.process):
        alone = base.stream(bench, workspace, "alone", 1000, warm_up, seconds)
    base.tell_latency(alone)
    bench.fill(workspace, count, bench.options.users)
    base.wait_drained(workspace, worker, 300)
    plan = workspace.logs / "plan.json"
    call(workspace, "replay", "plan", "--topic", workspace.events, "--from", "0", "--to", "0s", "--output", plan, "--json")
    replay = workspace.topic["replay"]

    def replayed():
        return sum(offset or 0 for offset in bench.broker.committed(workspace.group, replay).values())

    apply = subprocess.Popen([build_folder() / "waymark", "replay", "apply", plan, "--reason", "bench", "--yes", "--json", "-C",
                              workspace.folder], stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: replayed() > 1000, 60, 0.1, "the replay to run", [apply])
        marks = []
        print("beside a replay: ", end="", flush=True)
        with before_others(bench, worker.process):
            took = base.stream(bench, workspace, "beside", 1000, warm_up, seconds,
                               lambda: marks.append((time.monotonic(), replayed())))
        done, span = replayed() - marks[0][1], time.monotonic() - marks[0][0]
        assert apply.poll() is None, "the replay ended before the stream: it measured nothing"
        base.tell_latency(took)
        print(f"  the replay went at {done / span:.0f} records/s meanwhile (two more a piece are marks of transactions); "
              f"p99 is {took[int(len(took) * 0.99)] / alone[int(len(alone) * 0.99)]:.2f} x that of the stream alone", flush=True)
    finally:
        apply.kill()
        apply.wait()
    worker.terminate()


@contextlib.contextmanager
def behind(bench, workspace):
    """How many records of the replay topic the worker had not taken up, twice a second: does it wait for them, or they for it?"""
    seen, over, replay = [0], threading.Event(), workspace.topic["replay"]

    def look():
        while not over.wait(0.5):
            done = sum(offset or 0 for offset in bench.broker.committed(workspace.group, replay).values())
            seen.append(sum(bench.broker.ends(replay).values()) - done)

    thread = threading.Thread(target=look)
    thread.start()
    yield seen
    over.set()
    thread.join()


def plan(bench):
    count = bench.options.plan_events
    workspace = bench.workspace("plan", base.RULES)
    bench.fill(workspace, count, bench.options.users)
    worker = Worker(workspace).start()
    with before_others(bench, worker.process):
        took, _, _ = base.drain(workspace, worker, [worker.process.pid], count)
    live = count / took
    print(f"{count} events, {bench.options.users} users, three tasks each; decided live at {live:.0f} events/s")
    path = workspace.logs / "plan.json"
    for _ in range(bench.options.rounds):
        with before_others(bench):
            total, seconds, cpu, memory = measured(workspace, "replay", "plan", "--topic", workspace.events, "--from", "0", "--to",
                                                   "0s", "--output", path, "--json")
        assert total["read"] >= count and total["selected"] == count, total
        print(f"  plan: {count / seconds:>8.0f} events/s on the clock, {count / cpu:.0f} a second of CPU, {memory:.0f} MiB at the "
              "highest", flush=True)
    with before_others(bench, worker.process), behind(bench, workspace) as waiting:
        done, seconds, cpu, memory = measured(workspace, "replay", "apply", path, "--reason", "bench", "--yes", "--json", "--rate",
                                              "max")
    assert done["sent"] == count and done["changed"] == 0, done
    print(f"  apply --rate max: {count / seconds:>8.0f} events/s until all were decided = {count / seconds / live:.2f} x live, "
          f"{cpu * 100000 / count:.2f} s of CPU per 100 000, {memory:.0f} MiB; "
          f"sent and not decided yet at the median {statistics.median(waiting):.0f} records", flush=True)
    worker.terminate()


class Bench(base.Bench):
    def workspace(self, name, rules):
        workspace = super().workspace(name)
        workspace.write(rules)
        return workspace


PARTS = {"failures": failures, "beside-replay": beside_replay, "plan": plan}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="+", choices=PARTS)
    parser.add_argument("--events", type=int, default=200000)
    parser.add_argument("--plan-events", type=int, default=1000000)
    parser.add_argument("--users", type=int, default=20000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--latency-seconds", type=int, default=20)
    parser.add_argument("--nice", type=int, default=0, help="of what is measured, where others load the machine; below 0 "
                        "needs root")
    options = parser.parse_args()
    for part in options.parts:
        with tempfile.TemporaryDirectory(prefix="waymark-bench-") as folder:
            bench = Bench(pathlib.Path(folder), options)
            try:
                PARTS[part](bench)
            finally:
                bench.close()


if __name__ == "__main__":
    main()
