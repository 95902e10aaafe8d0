"""In which order did a worker take its inputs?

Inside a partition of a topic that is the order of offsets. Between topics, and beside the control topic, there is none
but what the outputs show. So inputs with outcomes are taken in the order of these, and profiles that changed roles when
that was told; any other profile or sign-in of a user comes before one of his inputs when that, and nothing else, explains
what came of it; and what was said on control counts from the first input on that it explains. On each partition it counts
from there on: nothing that left a trace goes back to what was so before. It counts for nothing that was decided before it
was said, and for all that was sent FOLLOWED later; what left no trace, of a user or of none, was decided before anything that
came after it on its partition of a topic. Where that leads nowhere, any order of the user's inputs is looked for
that explains everything (Search); only if there is none, something is wrong."""
import bisect
import collections
import sys

import model

STEPS = 40_000  # decisions that a search for an order may try
NEVER = 1 << 62
AHEAD = 12  # so many profiles of one user may wait for something that they explain
FOLLOWED = 3_000  # milliseconds: a tenth of a second and a batch, on a machine that has much else to do


class Epochs:
    """What control says, record by record: the catalogue under it, and since when."""

    def __init__(self, catalogue, records, decode):
        words = {}
        self.since, self.catalogues = [], [catalogue]
        self.words = set()
        for record in records:
            told = decode(record)
            if told is None:
                continue
            name, value = told
            self.words.add(name)
            words = {**words, name: value} if value is not None else {each: words[each] for each in words if each != name}
            self.since.append(record.timestamp)
            self.catalogues.append(catalogue.under(words))

    def least(self, timestamp):
        """An input that was sent then is decided under this one at least."""
        return bisect.bisect_left(self.since, timestamp - FOLLOWED)

    def most(self, timestamp):
        """What was decided then is decided under this one at most."""
        return bisect.bisect_right(self.since, timestamp + 100)

    @property
    def last(self):
        return self.catalogues[-1]


class Item:
    def __init__(self, record, kind, event, evidence):
        self.record, self.kind, self.event, self.evidence = record, kind, event, evidence
        self.user = event.user if event else None


class Evidence:
    """What the outputs say came of one input."""

    def __init__(self, ends=frozenset()):
        self.ends = ends  # (user, role, is it a gain) of all that time did: what it has done, a late event does not do again
        self.tasks, self.changes, self.texts, self.sent = {}, collections.Counter(), collections.Counter(), []
        self.lockout = False  # of a change
        self.place, self.timestamp = None, None  # of the first outcome; of that, or of the first change
        self.told = None  # offset of the first change

    def agrees(self, fate):
        told = {execution.name: [_gist(task.sequence, task.result, task.code, task.effective, task.lockout, task.baseline)
                                 for task in execution.tasks] for execution in fate.executions}
        texts = collections.Counter((execution.automation, task.notification["title"], task.notification["message"])
                                    for execution in fate.executions for task in execution.tasks if task.notification)
        changes = {role: 1 for role in fate.after - fate.before} | {role: -1 for role in fate.before - fate.after}
        sent = [(event.user, model.moment(event.data["until"])) for event in fate.sent]
        if fate.event and fate.event.type.startswith("directory.") and self.lockout != bool(fate.before and not fate.after):
            return False
        return told == self.tasks and texts == self.texts and sent == self.sent and \
            self.changes_agree(fate.event and fate.event.user, self.changes, changes)

    def changes_agree(self, user, found, wanted):
        missing = {role for role, net in wanted.items() if not found.get(role) and (user, role, net > 0) in self.ends}
        return {role: net for role, net in found.items() if net} == {role: net for role, net in wanted.items() if role not in missing}


def _gist(*members):
    return tuple(members)


def gather(outcomes, changes, notifications, handed_on):
    """origin → Evidence; of (record, body) each."""
    ends = {(body.get("subject"), body["data"].get("role"), body["data"].get("effective"))
            for _, body in changes if body["data"].get("cause") == "expiry"}
    found = collections.defaultdict(lambda: Evidence(ends))
    for record, body in outcomes:
        origin = body["data"]["origin"]
        evidence = found[origin["topic"], origin["partition"], origin["offset"]]
        evidence.tasks[body["id"].rsplit(":", 1)[-1]] = [
            _gist(task.get("sequence"), task.get("result"), task.get("code"), task.get("effective"), task.get("lockout", False),
                  task.get("baseline")) for task in body["data"]["tasks"]]
        evidence.place = min(evidence.place or (record.offset, 0), (record.offset, 0))
        evidence.timestamp = record.timestamp
    for record, body in changes:
        origin = body["data"].get("origin")
        if origin:
            evidence = found[origin["topic"], origin["partition"], origin["offset"]]
            evidence.changes[body["data"].get("role")] += 1 if body["data"].get("effective") else -1
            evidence.timestamp = evidence.timestamp or record.timestamp
            evidence.told = record.offset if evidence.told is None else min(evidence.told, record.offset)
            evidence.lockout |= body["data"].get("lockout", False)
    for _, body in notifications:
        data = body["data"]
        origin = data["origin"]
        text = data.get("automation"), data.get("title"), data.get("message")
        found[origin["topic"], origin["partition"], origin["offset"]].texts[text] += 1
    for _, body in handed_on:
        topic, partition, offset = body["id"].removeprefix("delegation:").rsplit("/", 2)
        found[topic, int(partition), int(offset)].sent.append((body.get("subject"), model.moment(body["data"].get("until"))))
    return found


class Partition:
    """Feeds the model the inputs of one partition."""

    def __init__(self, rules, kinds, epochs, evidence):
        self.disagreed = set()
        self.rules, self.kinds, self.epochs, self.evidence = rules, kinds, epochs, evidence
        self.epoch = 0
        self.next = {}  # (topic, offset) → when the first trace of anything that came later in the topic was left
        self.directory = collections.defaultdict(collections.deque)  # user → what was not fed yet
        self.fates = []

    def run(self, records):
        first = {}
        for record in sorted(records, key=lambda record: record.offset, reverse=True):
            self.next[record.topic, record.offset] = first.get(record.topic, NEVER)
            left = self.evidence[record.topic, record.partition, record.offset].timestamp
            if left is not None:
                first[record.topic] = min(left, first.get(record.topic, NEVER))
        self._run(records)
        for user in sorted(self.disagreed):
            self._again(user, [record for record in records if self._item(record).user == user])
        return self.fates

    def _again(self, user, records):
        """Is there another order that explains everything of this user?"""
        first = self.rules.users.get(user)
        self.rules.users.pop(user, None)
        fates = Search(self, user, records).run()
        if fates:
            self.fates = [(record, fates.get((record.topic, record.offset), fate)) for record, fate in self.fates]
        elif first is not None:
            self.rules.users[user] = first

    def _run(self, records):
        queues = collections.defaultdict(collections.deque)  # (user, topic) → Items
        anchors = []
        for record in records:
            item = self._item(record)
            if item.event is None or item.event.ignored:
                self._accept(item, self.rules.feed(record))
            elif item.kind == "directory":
                self.directory[item.user].append(item)
                if item.evidence.timestamp is not None:
                    anchors.append(item)
            else:
                queues[item.user, record.topic].append(item)
                if item.evidence.place is not None:
                    anchors.append(item)
        for item in sorted(anchors, key=lambda item: (item.evidence.timestamp, item.evidence.place or (NEVER,))):
            mine = [queue for (user, _), queue in queues.items() if user == item.user]
            for queue in mine:
                self._glide(queue, item.evidence.timestamp)
            self._until(self.directory[item.user] if item.kind == "directory" else queues[item.user, item.record.topic], item)
            for queue in mine:
                self._glide(queue)
        for queue in [*queues.values(), *self.directory.values()]:
            while queue:
                self._force(queue.popleft())

    def _item(self, record):
        try:
            event = model.decode(record, self.kinds[record.topic], self.rules.catalogue, self.rules.partitions, self.rules.wall)
        except model.Rejected:
            event = None
        return Item(record, self.kinds[record.topic], event, self.evidence[record.topic, record.partition, record.offset])

    def _until(self, queue, item):
        """Feeds a queue up to this item, which has its turn, unless it had it."""
        while item in queue:
            head = queue.popleft()
            self._force(head)
            if head is item:
                return

    def _glide(self, queue, before=NEVER):
        """Inputs that left nothing behind are fed as soon as that is right."""
        while queue and queue[0].evidence.timestamp is None and queue[0].record.timestamp <= before:
            if not self._try([queue[0]], self._nearest(queue[0])):
                return
            queue.popleft()

    def _force(self, item):
        """This item is next, come what may: with so many profiles before it, and under such a catalogue, as explain it."""
        waiting = () if item.kind == "directory" else self.directory[item.user]
        for epoch in self._epochs(item):
            for count in range(min(len(waiting), AHEAD) + 1):
                if self._try([*list(waiting)[:count], item], epoch):
                    for _ in range(count):
                        waiting.popleft()
                    return
        if item.user is not None:
            self.disagreed.add(item.user)
        self.rules.catalogue = self.epochs.catalogues[self._nearest(item)]
        self._accept(item, self.rules.feed(item.record))

    def bounds(self, item):
        """The first and the last catalogue that it can have been decided under."""
        left, epochs = item.evidence.timestamp, self.epochs
        least = epochs.least(item.record.timestamp)
        if left is not None:
            return least, epochs.most(left)
        return least, max(least, epochs.most(self.next[item.record.topic, item.record.offset]))

    def _nearest(self, item):
        """The catalogue that counts, or the nearest to it that this can have been decided under."""
        least, most = self.bounds(item)
        return min(max(self.epoch, least), most)

    def _epochs(self, item):
        """Under which catalogues it may have been decided, the likeliest first."""
        least, most = self.bounds(item)
        if item.evidence.timestamp is not None:
            return range(max(self.epoch, least), most + 1)
        likely = max(least, min(most, self.epoch + 1))
        return [*reversed(range(least, likely)), *range(likely, most + 1)]  # nobody knows when it was

    def _try(self, items, epoch):
        """The last of them under this catalogue; profiles before it may have come under an earlier one."""
        user, users = items[-1].user, self.rules.users
        saved = users[user].copy() if user in users else None
        fates = [self._fate(item, self._epochs(item) if item is not items[-1] else [epoch]) for item in items]
        if None in fates:
            users.pop(user, None)
            if saved is not None:
                users[user] = saved
            return False
        if items[-1].evidence.timestamp is not None:  # what left no trace may have been at any time
            self.epoch = epoch
        for item, fate in zip(items, fates):
            self._accept(item, fate)
        return True

    def _fate(self, item, epochs):
        """What becomes of it under the first of these catalogues that explains it; None: under none."""
        before = self.rules.users.get(item.user)
        before = before and before.copy()
        for epoch in epochs:
            self.rules.catalogue = self.epochs.catalogues[epoch]
            fate = self.rules.feed(item.record)
            if item.evidence.agrees(fate):
                return fate
            self.rules.users.pop(item.user, None)
            if before is not None:
                self.rules.users[item.user] = before.copy()
        return None

    def _accept(self, item, fate):
        self.fates.append((item.record, fate))


class Search:
    """Any order of one user's inputs that explains everything: goes back where it can't go on.

    Inputs of one topic keep their order, those with outcomes and changes that of the outcomes and changes. What left no trace comes before
    the first trace of anything that was sent later can have been left."""

    def __init__(self, partition, user, records):
        self.partition, self.rules, self.user = partition, partition.rules, user
        self.epoch, partition.epoch = partition.epoch, 0
        queues = collections.defaultdict(list)
        for item in map(partition._item, records):
            if item.event is not None and not item.event.ignored:
                queues[item.record.topic].append(item)
        self.queues = list(queues.values())
        self.dead, self.steps, self.fed = set(), 0, []

    def run(self):
        """(topic, offset) → fate, and the user as he is then; None: none was found."""
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(max(limit, 10_000))
        try:
            found = self._go_on(tuple(0 for _ in self.queues), 0)
        finally:
            sys.setrecursionlimit(limit)
            self.partition.epoch = self.epoch
        return {(item.record.topic, item.record.offset): fate for item, fate in self.fed} if found else None

    def _heads(self, positions):
        """What may come next, the first that was sent first, and when the next trace was left."""
        heads = [(number, queue[at]) for number, (queue, at) in enumerate(zip(self.queues, positions)) if at < len(queue)]
        traces = [item.evidence for queue, at in zip(self.queues, positions) for item in queue[at:] if item.evidence.timestamp is not None]
        first = min((evidence.timestamp for evidence in traces), default=NEVER)
        place = min((evidence.place for evidence in traces if evidence.place), default=None)
        told = min((evidence.told for evidence in traces if evidence.told is not None), default=None)
        fitting = sorted(((number, item) for number, item in heads
                          if (item.record.timestamp <= first if item.evidence.timestamp is None
                              else item.evidence.timestamp == first or item.evidence.place == place)
                          and item.evidence.place in (None, place) and item.evidence.told in (None, told)),
                         key=lambda head: head[1].record.timestamp)
        return fitting, first

    def _epochs(self, item, epoch, first):
        """What left no trace may have been decided under any catalogue up to the next trace."""
        if item.evidence.timestamp is not None:
            return self.partition._epochs(item)
        least, most = self.partition.bounds(item)
        possible = range(least, min(most, self.partition.epochs.most(first)) + 1)
        return sorted(possible, key=lambda each: abs(each - epoch))

    def _go_on(self, positions, epoch):
        heads, first = self._heads(positions)
        if all(at == len(queue) for queue, at in zip(self.queues, positions)):
            return True
        state = self.rules.users.get(self.user)
        key = positions, epoch, repr(state)
        if key in self.dead or self.steps > STEPS:
            return False
        for number, item in heads:
            self.partition.epoch = epoch
            for under in self._epochs(item, epoch, first):
                self.steps += 1
                if state is not None:
                    self.rules.users[self.user] = state.copy()
                fate = self.partition._fate(item, [under])
                if fate is None:
                    continue
                self.fed.append((item, fate))
                after = tuple(at + (each == number) for each, at in enumerate(positions))
                if self._go_on(after, under if item.evidence.timestamp is not None else epoch):
                    return True
                self.fed.pop()
                self.rules.users.pop(self.user, None)
        if state is not None:
            self.rules.users[self.user] = state
        self.dead.add(key)
        return False
