"""`delivery: at-least-once` on a real broker: a kill may repeat outcomes, and loses nothing; the roles are the same."""
import collections
import json

import pytest

from checker import Judge, settle
from crashes import QUICK
from load import RULES, Load

# A condition on roles may be answered otherwise the second time, when some registers already stand.
REPEATABLE = "---".join(document for document in RULES.split("---") if "has: member" not in document)


def acquit_all_but_repetitions(workspace, worker):
    """What must be there is there, and nothing else is; returns how many executions that did something stand again."""
    settle(workspace, [worker])
    judge = Judge(workspace)
    judge.judge()
    about = ("register", "roles of", "offset of", "birth", "progress", "the register", "no register")
    wrong = [sentence for sentence in judge.wrong
             if "is lost" in sentence or "no reason to be" in sentence or sentence.startswith(about)]
    assert not wrong, "\n".join(wrong[:20])
    assert judge.counts["outcomes"] > 200 and judge.counts["registers"] > 20
    return sum(count > 1 for count in done(judge.outputs["outcomes"]).values())


def done(outcomes):
    """id → how often it is told that this execution did something."""
    ids = collections.Counter()
    for record in outcomes:
        execution = json.loads(record.value)
        if any(task["result"] not in ("failed", "skipped") for task in execution["data"]["tasks"]):
            ids[execution["id"]] += 1
    return ids


@pytest.mark.parametrize("flushes", [1, 2])
def test_killed_between_two_flushes(make_workspace, workers, crash, flushes):
    """Behind the outcomes (1): they come again. Behind the registers too (2): those remember their events."""
    workspace = make_workspace(REPEATABLE, properties=QUICK, kafka={"delivery": "at-least-once"},
                               limits={"batch-events": 150, "batch-ms": 1000})
    Load(workspace, 7).send(400).sender.flush()
    crash(workspace, "after-flush", flushes)
    told = len(done(workspace.broker.read(workspace.topic["outcomes"])))
    assert told > 0
    worker = workers(workspace)
    assert worker.lines("delivery=at-least-once")
    again = acquit_all_but_repetitions(workspace, worker)
    assert again == (told if flushes == 1 else 0)
