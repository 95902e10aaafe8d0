#!/usr/bin/python3
"""Many random kills of a worker under load, then one judgement.

    WAYMARK_BUILD=build tests/integration/kill_soak.py [--kills 100] [--seed N] [--rate 300] [--mixed]
"""
import argparse
import pathlib
import pickle
import random
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "broker"))

from checker import Judge, settle  # noqa: E402
from crashes import QUICK, kill_at_random  # noqa: E402
from load import BASELINE, LIVES  # noqa: E402
from waymark_testlib.kafka import Broker  # noqa: E402
from waymark_testlib.redis_server import Redis  # noqa: E402
from waymark_testlib.worker import Worker  # noqa: E402
from waymark_testlib.workspace import Workspace  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--rate", type=int, default=300)
    parser.add_argument("--mixed", action="store_true",
                        help="profiles, requests and switches too; where a kill hides the order between topics, the judge "
                             "looks for one that explains everything of the user")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="waymark-soak-") as name:
        folder = pathlib.Path(name)
        broker = Broker(folder / "broker").start()
        redis = Redis(folder / "redis").start()
        last = None
        try:
            workspace = Workspace(folder, broker, redis, documents=LIVES, properties=QUICK, baseline=BASELINE).create_topics()
            numbers = iter(range(options.kills + 1))

            def start():
                return Worker(workspace, f"worker-{next(numbers)}").start()

            def tell(number, sent):
                print(f"\rkill {number} of {options.kills}, {sent} events sent", end="", flush=True)

            began = time.monotonic()
            last, sent = kill_at_random(workspace, start, options.kills, options.seed, options.rate, lives=options.mixed,
                                        tell=tell)
            print()
            settle(workspace, [last], timeout=180)
            judge = Judge(workspace)
            wrong = judge.judge()
            for sentence in wrong[:50]:
                print(f"  {sentence}")
            print(", ".join(f"{count} {what}" for what, count in sorted(judge.counts.items())))
            print(f"seed {options.seed}: {options.kills} kills, {sent} events, {time.monotonic() - began:.0f} s, "
                  f"{len(wrong)} complaints")
            if wrong:
                kept = pathlib.Path(tempfile.mkdtemp(prefix="waymark-soak-logs-"))
                for log in folder.glob("*.log"):
                    (kept / log.name).write_bytes(log.read_bytes())
                (kept / "records.pickle").write_bytes(pickle.dumps((judge.inputs, judge.outputs, judge.dead, judge.control)))
                print(f"logs and records kept in {kept}")
            return 1 if wrong else 0
        finally:
            if last:
                last.end()
            redis.stop()
            broker.stop()


if __name__ == "__main__":
    sys.exit(main())
