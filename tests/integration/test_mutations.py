"""Damaged records: whatever comes, the worker lives, and each record has exactly one fate.

WAYMARK_MUTATIONS says how many, WAYMARK_SEED which. `weigh()` knows nothing of what is valid; the judge does, from
`model.py`, and says of each record whether its one fate is the right one."""
import collections
import json
import os
import random
import time

import pytest

from checker import Judge, settle
from load import RULES, binary, structured
from waymark_testlib.kafka import Record, home
from waymark_testlib.process import wait_until

COUNT = int(os.environ.get("WAYMARK_MUTATIONS", "5000"))
SEED = int(os.environ.get("WAYMARK_SEED", "11"))
LIMIT = 4000  # bytes of an event
USERS = [f"user-{number}" for number in range(200)] + ["größe", "{brace}%7B", "漢字 {"]
TYPES = ["journey.milestone.achieved"] * 4 + ["journey.milestone.failed", "journey.completed", "other.thing", "nobody.listens",
                                             "directory.user.deleted", "directory.later", "role.assignment.requested"]
TOKENS = [b'"', b"\\", b"\\u0000", b"\\ud800", b"\\udc00\\ud800", b"{", b"}", b"[", b"]", b",", b":", b"null", b"true", b"1e999",
          b"-", b"-0", b"0123", b"18446744073709551616", b"1.0", b"NaN", b"\0", b"\x7f", b"\xc2\x85", b"\xc3", b"\xed\xa0\x80",
          b"\xf4\x90\x80\x80", b"\xef\xbb\xbf", b" ", b"\n", b"//", b"'"]
MEMBERS = [b'"id":"twice",', b'"subject":"user-1",', b'"data":{},', b'"specversion":"1.0",', b'"time":null,', b'"a":1,"a":2,',
           b'"data_base64":"e30=",', b'"time":"2026-02-30T00:00:00Z",', b'"source":7,', b'"type":"",', b'"new":[],',
           b'"datacontenttype":"text/plain",', b'"subject":null,', b'"i\\u0064":"the same",']


# --- damage ---

def flip(dice, value):
    for _ in range(dice.choice([1, 1, 2, 8])):
        at = dice.randrange(len(value))
        value[at] ^= 1 << dice.randrange(8)


def cut(dice, value):
    del value[dice.randrange(len(value)):]


def lose(dice, value):
    at = dice.randrange(len(value))
    del value[at:at + dice.randint(1, 6)]


def insert(dice, value):
    at = dice.randrange(len(value) + 1)
    value[at:at] = dice.choice([dice.choice(TOKENS), dice.randbytes(dice.randint(1, 8))])


def repeat(dice, value):
    at = dice.randrange(len(value))
    value[at:at] = value[at:at + dice.randint(1, 40)] * dice.randint(1, 3)


def double_member(dice, value):
    at = dice.choice([at for at, byte in enumerate(value) if byte == 0x7B] or [0])
    value[at + 1:at + 1] = dice.choice(MEMBERS)


def nest(dice, value):
    """Around the 32 that are allowed, and far beyond."""
    depth = dice.choice([28, 29, 30, 31, 32, 33, 200, 1500])
    opening, closing = dice.choice([(b"[", b"]"), (b'{"n":', b"}"), (b"[", b"")])
    at = bytes(value).find(b'"joined"')
    deep = opening * depth + b"1" + closing * depth
    value[at if at >= 0 else len(value):at + 8 if at >= 0 else len(value)] = deep


def grow(dice, value):
    at = dice.randrange(len(value) + 1)
    value[at:at] = b"x" * dice.choice([100, LIMIT - 500, LIMIT, 3 * LIMIT])


def replace(dice, value):
    value[:] = dice.choice([b"", b"null", b"{}", b"[]", b"7", b'"text"', bytes(dice.choice(TOKENS)), dice.randbytes(dice.randint(1, 200)),
                            b"[" * dice.randint(1, 3000), b'{"a":' * dice.randint(1, 500), bytes(value) * 2])


DAMAGE = [flip, cut, lose, insert, insert, repeat, double_member, nest, grow, replace]


def damage_headers(dice, headers):
    """One header, or one too many; the names stay such that every client can say them."""
    at = dice.randrange(len(headers)) if headers else 0
    name, value = headers[at] if headers else ("content-type", b"")
    other = dice.choice([b"", b"\xff\xfe", b"1.0", b"x" * 1025, b"a\0b", b"2026-01-01T00:00:00Z", b"\xc2\x85", None, dice.randbytes(9),
                         b"application/cloudevents+json; charset=UTF-8", b"application/cloudevents-batch+json"])
    dice.choice([
        lambda: headers.__delitem__(slice(at, at + 1)),
        lambda: headers.insert(at, (name, value)),
        lambda: headers.insert(0, (name.upper(), other)),
        lambda: headers.__setitem__(slice(at, at + 1), [(name, other)]),
        lambda: headers.__setitem__(slice(at, at + 1), [(name.upper(), value)]),
        lambda: headers.append((dice.choice(["ce_extra", "CE_ID", "ce_", "ce", "größe", "content-type"]), other)),
        lambda: headers.reverse(),
        lambda: headers.extend([("x", dice.randbytes(20))] * dice.choice([1, 300])),
    ])()


class Mutator:
    """Records of which most are damaged, by a seed."""

    def __init__(self, seed, partitions):
        self.dice, self.partitions = random.Random(seed), partitions
        self.number = 0

    def event(self):
        dice = self.dice
        self.number += 1
        user = dice.choice(USERS)
        data = {"journey": "onboarding", "milestone": "joined", "score": dice.choice([10, 80.5, "80", None]), "note": ["größe", 1]}
        type, at = dice.choice(TYPES), time.time() - dice.choice([0, 0, 60, 90000])
        if dice.random() < 0.4:
            return user, bytearray(json.dumps(data).encode()), binary(self.number, type, user, at)
        return user, bytearray(structured(self.number, type, user, data, at)), [("content-type", b"application/cloudevents+json")]

    def record(self):
        """(value, key, headers, partition)"""
        dice = self.dice
        user, value, headers = self.event()
        for _ in range(dice.choice([0, 1, 1, 1, 2, 4])):
            if dice.random() < 0.25:
                damage_headers(dice, headers)
            elif value:
                dice.choice(DAMAGE)(dice, value)
        value = None if dice.random() < 0.02 else bytes(value)
        key = dice.choice([user.encode()] * 8 + [None, b"", b"\0\xff", dice.randbytes(300)])
        partition = home(user, self.partitions) if dice.random() < 0.97 else dice.randrange(self.partitions)
        return value, key, headers, partition


# --- fates ---

def origin_of(letter):
    return int(letter.header("__dlq.errors.partition")), int(letter.header("__dlq.errors.offset"))


def told_origin(record):
    origin = json.loads(record.value)["data"]["origin"]
    return origin["partition"], origin["offset"]


def weigh(inputs, letters, failures, outcomes):
    """Complaints, and the number of records that were rejected, decided, and left alone."""
    wrong, fates = [], collections.Counter()
    dead, decided, rejected = collections.defaultdict(list), collections.Counter(), collections.Counter()
    for letter in letters:
        dead[origin_of(letter)].append(letter)
    for record in failures:
        if json.loads(record.value)["type"] == "dev.waymark.event.rejected.v1":
            rejected[told_origin(record)] += 1
    for record in outcomes:
        decided[told_origin(record)] += 1
    known = set()
    for record in inputs:
        at = record.partition, record.offset
        known.add(at)
        if (len(dead[at]), rejected[at]) not in ((0, 0), (1, 1)) or dead[at] and decided[at]:
            wrong.append(f"{at}: {len(dead[at])} dead letters, {rejected[at]} rejections, {decided[at]} outcomes")
        for letter in dead[at]:
            if (letter.key, letter.value, letter.headers[:len(record.headers)]) != (record.key, record.value, record.headers):
                wrong.append(f"{at}: the dead letter is not verbatim: {letter} of {record}")
        fates["rejected" if dead[at] else "decided" if decided[at] else "left alone"] += 1
    for at in {*dead, *decided, *rejected} - known:
        wrong.append(f"{at}: there was no such record")
    return wrong, fates


def disagreements(judge):
    """Records of which the model and the worker do not say the same: what to read first of a long list."""
    said = {}
    for record in judge.outputs["failures"]:
        body = json.loads(record.value)
        if body["type"] == "dev.waymark.event.rejected.v1":
            said[told_origin(record)] = body["data"]["code"], body["data"]["message"]
    for record, fate in judge.fates:
        code, message = said.get((record.partition, record.offset), (None, "not rejected"))
        if code != fate.code:
            yield f"the model says {fate.code or fate.kind}, the worker {code} ({message}): {record}"


def test_mutated_payloads_leave_no_crash_and_one_dlq_record_each(make_workspace, workers, sender, broker):
    print(f"WAYMARK_SEED={SEED} WAYMARK_MUTATIONS={COUNT}")
    workspace = make_workspace(RULES, limits={"event-bytes": LIMIT})
    worker = workers(workspace)
    first = worker.process.pid
    mutator = Mutator(SEED, workspace.partitions)
    for _ in range(COUNT):
        value, key, headers, partition = mutator.record()
        sender.raw(workspace.events, value, key, headers, partition)
    sender.flush(300)
    settle(workspace, [worker], timeout=120 + COUNT / 500)
    assert worker.running() and worker.process.pid == first and workspace.lag() == 0

    judge = Judge(workspace)
    judge.read()
    wrong, fates = weigh(judge.inputs[workspace.events], judge.dead[workspace.events], judge.outputs["failures"],
                         judge.outputs["outcomes"])
    follows = judge.weigh()
    wrong += [*disagreements(judge), *follows]
    shown = "\n  ".join(sentence[:2000] for sentence in wrong[:20])
    assert not wrong, f"{len(wrong)} complaints:\n  {shown}"
    print(dict(fates), {name: count for name, count in judge.counts.items() if name.startswith("EVENT_")})
    assert sum(fates.values()) == COUNT
    for fate, share in {"rejected": 0.4, "decided": 0.1, "left alone": 0.05}.items():
        assert fates[fate] > share * COUNT, f"too few are {fate} to prove anything: {fates}"
    assert {"EVENT_OVERSIZE", "EVENT_DEPTH", "EVENT_INVALID", "EVENT_FORBIDDEN", "EVENT_MISROUTED"} <= judge.counts.keys()

    sender.of_user(workspace.events, "last", structured("last", user="last", data={"milestone": "joined"}))
    sender.flush()
    wait_until(lambda: workspace.roles("last") == {"member"}, what="a good event behind all that")


# --- the scales ---

def letter(offset, value=b"{", key=b"k", headers=(("h", b"1"),)):
    ours = (("__dlq.errors.partition", b"0"), ("__dlq.errors.offset", str(offset).encode()))
    return Record("e.dlq", 0, offset, key, value, (*headers, *ours))


def told(type, offset):
    body = {"type": f"dev.waymark.{type}.v1", "data": {"origin": {"topic": "e", "partition": 0, "offset": offset}}}
    return Record("o", 0, 0, b"k", json.dumps(body).encode())


REJECTION, OUTCOME = told("event.rejected", 0), told("automation.executed", 1)
LIES = {
    "a letter is lost": ([], [REJECTION], [OUTCOME]),
    "a letter stands twice": ([letter(0), letter(0)], [REJECTION], [OUTCOME]),
    "a failure record is lost": ([letter(0)], [], [OUTCOME]),
    "a failure record stands twice": ([letter(0)], [REJECTION, REJECTION], [OUTCOME]),
    "rejected and decided": ([letter(0), letter(1, b"{}")], [REJECTION, told("event.rejected", 1)], [OUTCOME]),
    "another value": ([letter(0, b"}")], [REJECTION], [OUTCOME]),
    "another key": ([letter(0, key=None)], [REJECTION], [OUTCOME]),
    "a header is lost": ([letter(0, headers=())], [REJECTION], [OUTCOME]),
    "of no record": ([letter(0), letter(7)], [REJECTION, told("event.rejected", 7)], [OUTCOME]),
}


def test_the_truth_has_no_complaints():
    inputs = [Record("e", 0, offset, b"k", value, (("h", b"1"),)) for offset, value in enumerate([b"{", b"{}", None])]
    wrong, fates = weigh(inputs, [letter(0)], [REJECTION, told("task.failed", 1)], [OUTCOME])
    assert not wrong and fates == {"rejected": 1, "decided": 1, "left alone": 1}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_has(lie):
    inputs = [Record("e", 0, offset, b"k", value, (("h", b"1"),)) for offset, value in enumerate([b"{", b"{}", None])]
    assert weigh(inputs, *LIES[lie])[0]
