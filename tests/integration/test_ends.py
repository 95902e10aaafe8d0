"""Ends of grants on the audit trail: each loss is told once, whatever happened to Redis meanwhile."""
import collections
import json
import time

from crashes import QUICK
from load import structured
from waymark_testlib.process import wait_until

RULES = """
role: guest
---
automation: visit
trigger: journey.started
tasks: [{name: Let in, sequence: 1, type: change-role, role: guest, action: add, expires-after: 3s}]
"""


def told(workspace):
    """How often each end stands on the changes topic: user → count. And the ids."""
    records = [json.loads(record.value) for record in workspace.broker.read(workspace.topic["changes"])]
    ends = [body for body in records if body["data"]["cause"] == "expiry"]
    return collections.Counter(body["subject"] for body in ends), {body["id"] for body in ends}


def visit(workspace, sender, user):
    sender.of_user(workspace.events, user, structured(f"visit-{user}", "journey.started", user, {}, at=time.time()))
    sender.flush()
    wait_until(lambda: workspace.broker.read(workspace.topic["changes"]) and
               any(record.key == user.encode() for record in workspace.broker.read(workspace.topic["changes"])), 30,
               what=f"{user} to be let in")


def test_an_end_that_passes_while_redis_is_lost_is_told_and_no_other_is_told_again(make_workspace, workers, sender, own_redis):
    workspace = make_workspace(RULES, redis=own_redis, properties=QUICK)
    worker = workers(workspace)
    visit(workspace, sender, "ada")
    wait_until(lambda: told(workspace)[0]["ada"], 30, what="the end of ada's visit to be told")
    visit(workspace, sender, "ben")  # its commit says, too, up to when all was told
    before = told(workspace)[0]["ada"]
    worker.end()
    own_redis.client().flushall()
    gone = time.time() + 3.5
    wait_until(lambda: time.time() > gone, 30, what="ben's visit to end")
    workers(workspace, "second")
    wait_until(lambda: told(workspace)[0]["ben"], 30, what="the end of ben's visit to be told")
    counts, ids = told(workspace)
    assert counts["ada"] == before and len(ids) == 2
    assert not workspace.roles("ben", own_redis.client())
