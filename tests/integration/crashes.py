"""Killing workers under load, for the tests and for `kill_soak.py`."""
import random
import time

from load import Load

# A killed member holds its partitions until its session ends; the tests do not want to wait 10 s each time.
QUICK = {"session.timeout.ms": "3000", "heartbeat.interval.ms": "500"}


def kill_at_random(workspace, start, kills, seed, rate=500, patience=60, lives="steady", tell=lambda *_: None):
    """Kills one worker `kills` times under load, at random moments from its start to some seconds of work.

    `start()` starts a worker and returns it. Returns the last one, which is left alone, and how many events were sent."""
    dice = random.Random(seed)
    load = Load(workspace, seed, rate=rate, lives=lives).start()
    worker = start()
    try:
        for number in range(kills):
            if dice.random() < 0.8:
                worker.wait_ready(patience)
                time.sleep(dice.choice([0, 0.05, 0.2, 0.5, 1, 2]) * dice.random())
            else:
                time.sleep(dice.random())
            worker.kill()
            tell(number + 1, load.count)
            worker = start()
        worker.wait_ready(patience)
        time.sleep(0.5)
    finally:
        sent = load.stop()
    return worker, sent
