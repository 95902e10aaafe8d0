"""The meaning of a workspace, a second time: written from the contract alone, in the plainest Python, and slow.

It shares no code with the worker, so that an agreement of the two means something. `Model.feed()` takes input records
in the order of their partition and returns what has to become of each."""
import datetime
import json
import pathlib
import re
from dataclasses import dataclass, field, replace

import yaml

from waymark_testlib.kafka import home

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
JOURNEY_TYPES = "journey."
TEXT_KEYS = {"automation", "role", "channel", "description", "entity", "owner", "trigger", "name", "action", "type",
             "to", "title", "message", "expires-after", "on-failure", "repeat", "label", "kind", "status", "delegation",
             "portals", "user", "org-unit", "org-unit-type", "group", "within", "older-than", "activate"}


# --- values -------------------------------------------------------------------------------------------------------

def microseconds(duration):
    match = re.fullmatch(r"(\d+)([smhdw])", str(duration))
    assert match, f"no duration: {duration!r}"
    return int(match[1]) * SECONDS[match[2]] * 1_000_000


_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)")
_EPOCH = datetime.datetime(1970, 1, 1)


def moment(text):
    """Microseconds since 1970; None when the text is no RFC 3339 time."""
    match = isinstance(text, str) and _TIME.fullmatch(text)
    if not match or not match[0].isascii():
        return None
    year, month, day, hour, minute, second = map(int, match.groups()[:6])
    if hour > 23 or minute > 59 or second > 60:
        return None
    try:
        start = datetime.datetime(year, month, day, hour, minute)
    except ValueError:
        return None
    fraction = int(((match[7] or "") + "000000")[:6])
    zone = match[8]
    shift = 0
    if zone not in "Zz":
        hours, minutes = int(zone[1:3]), int(zone[4:6])
        if hours > 23 or minutes > 59:
            return None
        shift = (1 if zone[0] == "+" else -1) * (hours * 60 + minutes) * 60
    whole = (start - _EPOCH) // datetime.timedelta(seconds=1) + second - shift
    return whole * 1_000_000 + fraction


def microseconds_as_text(moment):
    return (_EPOCH + datetime.timedelta(microseconds=moment)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def kind(value):
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    return {str: "text", list: "list", dict: "object"}.get(type(value), "null")


def equal(a, b):
    return kind(a) == kind(b) and a == b


def clock_key(clock):
    """Clocks compare by bytes; None is before all."""
    if clock is None:
        return (0,)
    time, source, id, automation, sequence = clock
    return (1, time, source.encode(), id.encode(), automation.encode(), sequence)


# --- the workspace ------------------------------------------------------------------------------------------------

def _scalar(node, as_text):
    if as_text or node.style is not None:
        return node.value
    text = node.value
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE"):
        return True
    if text in ("false", "False", "FALSE"):
        return False
    if re.fullmatch(r"[-+]?[0-9]+", text):
        return int(text)
    if re.fullmatch(r"0o[0-7]+", text):
        return int(text[2:], 8)
    if re.fullmatch(r"0x[0-9a-fA-F]+", text):
        return int(text[2:], 16)
    if re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", text):
        return float(text)
    return text


def plain(node, as_text=False, condition=False):
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node, as_text)
    if isinstance(node, yaml.SequenceNode):
        return [plain(item, as_text, condition) for item in node.value]
    result = {}
    for key, value in node.value:
        inside = condition or key.value == "when"
        names_text = key.value in ("within", "older-than") if inside else key.value in TEXT_KEYS
        result[key.value] = plain(value, names_text, inside)
    return result


class Catalogue:
    """The automations, roles and channels of a folder, and the settings that matter for decisions."""

    def __init__(self, folder):
        self.automations, self.roles, self.channels = {}, {}, {}
        folder = pathlib.Path(folder)
        self.settings = yaml.safe_load((folder / "waymark.yaml").read_text())
        for file in sorted(folder.rglob("*.yaml")):
            if file.name == "waymark.yaml" or any(part.startswith(".") for part in file.relative_to(folder).parts):
                continue
            for node in yaml.compose_all(file.read_text(), Loader=yaml.SafeLoader):
                if node is None:
                    continue
                document = plain(node)
                for word, shelf in (("automation", self.automations), ("role", self.roles), ("channel", self.channels)):
                    if word in document:
                        shelf[document[word]] = document
                        break
        limits = self.settings.get("limits") or {}
        self.event_bytes = limits.get("event-bytes", 524288)
        self.register_bytes = limits.get("register-bytes", 262144)
        self.clock_skew = microseconds(limits.get("clock-skew", "5m"))
        self.notify_age = microseconds(limits.get("notify-age", "24h"))
        self.closed = self.settings.get("users") == "closed"
        self.baseline = self.settings.get("baseline")

    def under(self, words):
        """The same with what control says: `words` is {"automation/<name>": on?, "role/<name>": archived?}."""
        result = object.__new__(Catalogue)
        result.__dict__.update(self.__dict__)
        result.automations = {name: {**automation, "enabled": words.get(f"automation/{name}", automation.get("enabled", True))}
                              for name, automation in self.automations.items()}
        result.roles = {}
        for name, role in self.roles.items():
            archived, status = words.get(f"role/{name}"), role.get("status", "active")
            if archived is not None:
                status = "archived" if archived else "active" if status == "archived" else status
            result.roles[name] = {**role, "status": status}
        return result

    def takes(self, type):
        return any(triggers(automation, type) for automation in self.automations.values())


def triggers(automation, type):
    if type.startswith(("directory.", "role.")):
        return False
    wanted = automation["trigger"]
    for each in wanted if isinstance(wanted, list) else [wanted]:
        if each == type or each.endswith("*") and type.startswith(each[:-1]):
            return True
    return False


# --- events -------------------------------------------------------------------------------------------------------

class Rejected(Exception):
    def __init__(self, code):
        super().__init__(code)
        self.code = code


@dataclass
class Event:
    attributes: dict
    data: object
    time: int
    now: int
    user: str = None
    origin: tuple = ()
    key: bytes = None
    ignored: bool = False  # of a reserved type that nobody knows

    @property
    def type(self):
        return self.attributes["type"]


def strict_json(data):
    """JSON as the contract wants it: UTF-8, no NUL, no doubled keys, nothing beyond the standard."""
    def once(pairs):
        result = dict(pairs)
        if len(result) != len(pairs):
            raise ValueError("doubled key")
        return result

    def refuse(word):
        raise ValueError(word)

    def finite(text):
        value = float(text)
        if value in (float("inf"), float("-inf")):
            raise ValueError("a number that nothing can hold")
        return value

    def check(value):
        if isinstance(value, str):
            value.encode()  # a lone surrogate fails here
            if "\0" in value:
                raise ValueError("NUL")
        elif isinstance(value, list):
            for item in value:
                check(item)
        elif isinstance(value, dict):
            for name, item in value.items():
                check(name)
                check(item)
        return value

    return check(json.loads(data.decode("utf-8"), object_pairs_hook=once, parse_constant=refuse, parse_float=finite))


def depth(data):
    deepest = now = 0
    quoted = escaped = False
    for byte in data:
        if quoted:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                quoted = False
        elif byte == 0x22:
            quoted = True
        elif byte in b"[{":
            now += 1
            deepest = max(deepest, now)
        elif byte in b"]}":
            now -= 1
    return deepest


def _is_ce(name):
    return name.lower().startswith("ce_") and len(name) > 3


def _content_types(record):
    return [value for name, value in record.headers if name.lower() == "content-type"]


def _media(content_type):
    return content_type.split(b";")[0].strip(b" \t").lower()


def _mode(record):
    told = [value for value in _content_types(record) if value is not None]
    media = _media(told[-1]) if told else b""
    if media == b"application/cloudevents+json":
        return "structured"
    if media.startswith(b"application/cloudevents"):
        raise Rejected("EVENT_INVALID")
    return "binary" if any(_is_ce(name) for name, _ in record.headers) else "structured"


def _header_text(value):
    text = value.decode("utf-8")
    if "\0" in text:
        raise ValueError("NUL")
    return text


def _read(record):
    """Attributes and data of one record."""
    names = [name.lower() for name, _ in record.headers if _is_ce(name)]
    content_types = _content_types(record)
    if len(set(names)) < len(names) or len(content_types) > 1:
        raise ValueError("doubled header")
    if _mode(record) == "structured":
        document = strict_json(record.value or b"")  # null with a ce_id is no JSON in this mode
        if not isinstance(document, dict):
            raise ValueError("not an object")
        if "data_base64" in document and document["data_base64"] is not None:
            raise ValueError("data is not JSON")
        data = document.pop("data", None)
        attributes = {name: value for name, value in document.items() if value is not None}
    else:
        attributes = {name[3:].lower(): _header_text(value) for name, value in record.headers
                      if _is_ce(name) and value is not None
                      and not (name.lower() == "ce_datacontenttype" and content_types[:1] not in ([], [None]))}
        if content_types and content_types[0] is not None:
            attributes["datacontenttype"] = _header_text(content_types[0])
        data = strict_json(record.value) if record.value else None
    if "datacontenttype" in attributes:
        told = attributes["datacontenttype"]
        media = _media(told.encode()) if isinstance(told, str) else b""
        if media != b"application/json" and (not media.endswith(b"+json") or media == b"+json"):
            raise ValueError("data is not JSON")
    return attributes, data


def _attribute(attributes, name):
    value = attributes.get(name)
    if not isinstance(value, str) or not 1 <= len(value.encode()) <= 1024:
        raise Rejected("EVENT_INVALID")
    return value


def _texts_only(value):
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


DIRECTORY_TYPES = ("directory.user.updated", "directory.user.deleted", "directory.user.signed-in")
PROFILE_CHECKS = {
    "status": lambda value: value in ("active", "suspended", "inactive"),
    "type": lambda value: value in ("employee", "partner", "customer", "guest"),
    "name": lambda value: isinstance(value, str), "email": lambda value: isinstance(value, str),
    "manager": lambda value: isinstance(value, str), "managers": _texts_only, "groups": _texts_only,
    "portals": _texts_only, "accounts": _texts_only, "manager-of-anyone": lambda value: isinstance(value, bool),
    "attributes": lambda value: isinstance(value, dict),
    "org-units": lambda value: isinstance(value, dict) and all(map(_texts_only, value.values())),
}


def _check_profile(data):
    if not isinstance(data, dict) or data.get("status") is None:
        raise Rejected("EVENT_INVALID")
    for name, fine in PROFILE_CHECKS.items():
        if data.get(name) is not None and not fine(data[name]):
            raise Rejected("EVENT_INVALID")


def _is_user(value):
    return isinstance(value, str) and 1 <= len(value.encode()) <= 256 and not re.search("[\0-\x1f\x7f-\x9f]", value)


def _source_of_grant(value):
    return isinstance(value, str) and re.fullmatch("manual|automation/[a-z0-9][a-z0-9-]{0,62}", value) is not None


# type → what must be there, and what may
REQUEST_CHECKS = {
    "role.assignment.requested": (
        {"role": lambda value: isinstance(value, str), "action": lambda value: value in ("add", "remove")},
        {"until": lambda value: moment(value) is not None, "by": lambda value: isinstance(value, str),
         "reason": lambda value: isinstance(value, str), "delegation": lambda value: value in ("none", "holders")}),
    "role.delegation.requested": (
        {"role": lambda value: isinstance(value, str), "to": _is_user},
        {"until": lambda value: moment(value) is not None,
         "reason": lambda value: isinstance(value, str) and len(value.encode()) <= 1024}),
    "role.grant.withdrawn": (
        {"role": lambda value: isinstance(value, str), "source": _source_of_grant},
        {"version": lambda value: isinstance(value, str), "by": lambda value: isinstance(value, str),
         "reason": lambda value: isinstance(value, str)}),
}


def _check_request(type, data):
    needed, allowed = REQUEST_CHECKS[type]
    if not isinstance(data, dict) or any(data.get(name) is None for name in needed):
        raise Rejected("EVENT_INVALID")
    for name, fine in {**needed, **allowed}.items():
        if data.get(name) is not None and not fine(data[name]):
            raise Rejected("EVENT_INVALID")


def decode(record, topic_kind, catalogue, partitions, wall=None):
    """An Event; None for a record that is none; raises Rejected. `wall`: the worker's clock, if it is to count.

    A record without a timestamp is a line for `simulate`: the event's time is now, and no topic forbids anything."""
    if record.value is None and not any(name.lower() == "ce_id" for name, _ in record.headers):
        return None
    value = record.value or b""
    size = len(value) + sum(len(name.encode()) + len(content or b"") for name, content in record.headers)
    if size > catalogue.event_bytes:
        raise Rejected("EVENT_OVERSIZE")
    try:
        binary = _mode(record) == "binary"
    except Rejected:
        binary = False
    if depth(value) + binary > 32:
        raise Rejected("EVENT_DEPTH")
    try:
        attributes, data = _read(record)
    except (ValueError, RecursionError) as error:
        raise Rejected("EVENT_INVALID") from error
    if attributes.get("specversion") != "1.0":
        raise Rejected("EVENT_INVALID")
    for name in ("id", "source", "type"):
        _attribute(attributes, name)
    time = now = None if record.timestamp is None else record.timestamp * 1000
    if "time" in attributes:
        time = moment(attributes["time"])
        if time is None:
            raise Rejected("EVENT_INVALID")
    user = attributes.get("subject")
    if user is None and isinstance(data, dict) and isinstance(data.get("user"), str):
        user = data["user"]
    if user is not None and not _is_user(user):
        raise Rejected("EVENT_INVALID")
    type = attributes["type"]
    reserved = type.startswith(("directory.", "role."))
    known = "requests" if type in REQUEST_CHECKS else "directory" if type in DIRECTORY_TYPES else None
    if known and user is None:
        raise Rejected("EVENT_INVALID")
    if type == "directory.user.updated":
        _check_profile(data)
    elif type in REQUEST_CHECKS:
        _check_request(type, data)
    origin = record.topic, record.partition, record.offset
    if now is None:
        return Event(attributes, data, time, time, user, origin, record.key, bool(reserved and not known))
    if known != topic_kind if known else topic_kind != "events" and not reserved:
        raise Rejected("EVENT_FORBIDDEN")
    if time - now > catalogue.clock_skew or wall is not None and max(time, now) - wall > catalogue.clock_skew:
        raise Rejected("EVENT_FUTURE")
    if user is not None and home(user, partitions) != record.partition and (known or catalogue.takes(type)):
        raise Rejected("EVENT_MISROUTED")
    return Event(attributes, data, time, now, user, origin, record.key, bool(reserved and not known))


# --- conditions ---------------------------------------------------------------------------------------------------

_ABSENT = object()


def segments(path):
    parts = re.findall(r'"((?:[^"\\]|\\.)*)"|([^."]+)', path)
    return [quoted or plain for quoted, plain in parts]


def lookup(path, event, user_view):
    """The value at a path, or _ABSENT (null counts as absent)."""
    root, *rest = segments(path)
    value = {"event": event.attributes, "data": event.data, "user": user_view}[root]
    for part in rest:
        if not isinstance(value, dict) or part not in value:
            return _ABSENT
        value = value[part]
    return _ABSENT if value is None else value


def _same(value, operands):
    same = [operand for operand in operands if kind(operand) == kind(value)]
    if not same or kind(value) in ("list", "object"):
        return None
    return any(value == operand for operand in same)


def _opposite(answer):
    return None if answer is None else not answer


def _numbers(compare):
    return lambda value, operand, now: compare(value, operand) if kind(value) == "number" else None


def _texts(compare):
    return lambda value, operand, now: compare(value, operand) if kind(value) == "text" else None


def _times(compare):
    def operator(value, operand, now):
        at, other = moment(value), moment(operand)
        return None if at is None or other is None else compare(at, other)
    return operator


def _ages(compare):
    def operator(value, operand, now):
        at = moment(value)
        return None if at is None else compare(now - at, microseconds(operand))
    return operator


def _glob(value, pattern):
    wanted = "".join({"*": ".*", "?": "."}.get(each, re.escape(each)) for each in pattern)
    return re.fullmatch(wanted, value, re.DOTALL) is not None


def _lists(compare):
    def operator(value, operand, now):
        if kind(value) != "list" or any(kind(item) in ("list", "object", "null") for item in value):
            return None
        wanted = operand if isinstance(operand, list) else [operand]
        return compare([any(equal(item, each) for item in value) for each in wanted])
    return operator


OPERATORS = {
    "is": lambda value, operand, now: _same(value, [operand]),
    "is-not": lambda value, operand, now: _opposite(_same(value, [operand])),
    "in": lambda value, operand, now: _same(value, operand),
    "not-in": lambda value, operand, now: _opposite(_same(value, operand)),
    "above": _numbers(lambda a, b: a > b),
    "at-least": _numbers(lambda a, b: a >= b),
    "below": _numbers(lambda a, b: a < b),
    "at-most": _numbers(lambda a, b: a <= b),
    "before": _times(lambda a, b: a < b),
    "after": _times(lambda a, b: a > b),
    "within": _ages(lambda age, limit: age <= limit),
    "older-than": _ages(lambda age, limit: age > limit),
    "starts-with": _texts(str.startswith),
    "ends-with": _texts(str.endswith),
    "contains": _texts(lambda a, b: b in a),
    "glob": _texts(_glob),
    "has": _lists(any),
    "has-any": _lists(any),
    "has-all": _lists(all),
    "has-none": _lists(lambda found: not any(found)),
}


def all_of(answers):
    answers = list(answers)
    if any(answer is False for answer in answers):
        return False
    return None if any(answer is None for answer in answers) else True


def any_of(answers):
    answers = list(answers)
    if any(answer is True for answer in answers):
        return True
    return None if any(answer is None for answer in answers) else False


def holds(condition, event, user_view):
    """True, False, or None: cannot tell."""
    def entry(key, wanted):
        if key == "all":
            return all_of(holds(each, event, user_view) for each in wanted)
        if key == "any":
            return any_of(holds(each, event, user_view) for each in wanted)
        if key == "not":
            return _opposite(holds(wanted, event, user_view))
        value = lookup(key, event, user_view)
        if not isinstance(wanted, dict):
            wanted = {"is": wanted}
        return all_of(apply(name, value, operand) for name, operand in wanted.items())

    def apply(name, value, operand):
        if name == "present":
            return (value is not _ABSENT) == operand
        return None if value is _ABSENT else OPERATORS[name](value, operand, event.now)

    return all_of(entry(key, wanted) for key, wanted in (condition or {}).items())


class TemplateFailed(Exception):
    pass


def _as_text(value):
    if kind(value) == "text":
        return value
    if kind(value) in ("number", "boolean"):
        return json.dumps(value)
    if kind(value) == "list" and all(kind(item) in ("text", "number", "boolean") for item in value):
        return ", ".join(map(_as_text, value))
    raise TemplateFailed


def render(text, event, user_view):
    result, at = "", 0
    while at < len(text):
        if text.startswith("{{{{", at):
            result += "{{"
            at += 4
        elif text.startswith("{{", at):
            end = text.index("}}", at)
            value = lookup(text[at + 2:end].strip(), event, user_view)
            result += _as_text(None if value is _ABSENT else value)
            at = end + 2
        else:
            result += text[at]
            at += 1
    return result


# --- users --------------------------------------------------------------------------------------------------------

@dataclass
class User:
    id: str
    profile: dict = None
    profile_clock: tuple = None
    cleared: tuple = None
    signed_in: tuple = None  # counts while it is after `cleared`
    roles: dict = field(default_factory=dict)  # name → {"removed", "grants": {source: {"clock", "until", "by", "taken", ...}}}
    ran: set = field(default_factory=set)
    recent: list = field(default_factory=list)
    written: bool = False
    ends: dict = field(default_factory=dict)  # role → every end that a grant of it ever had

    def copy(self):
        roles = {name: {"removed": state["removed"], "grants": {source: dict(grant) for source, grant in state["grants"].items()}}
                 for name, state in self.roles.items()}
        return replace(self, roles=roles, ran=set(self.ran), recent=list(self.recent),
                       ends={role: set(ends) for role, ends in self.ends.items()})

    def live(self, role, now):
        """Sources of the live grants."""
        state = self.roles.get(role)
        if not state:
            return set()
        return {source for source, grant in state["grants"].items()
                if clock_key(grant["clock"]) > max(clock_key(self.cleared), clock_key(state["removed"]),
                                                   clock_key(grant.get("taken")))
                and (grant["until"] is None or grant["until"] > now)}

    def add(self, role, source, clock, until, by, now, delegation=None):
        state = self.roles.get(role) or {"removed": None, "grants": {}}
        old = state["grants"].get(source)
        taken = old.get("taken") if old else None
        stands = max(clock_key(state["removed"]), clock_key(self.cleared), clock_key(taken))
        if stands >= clock_key(clock):
            return "superseded"
        before = self.live(role, now)
        self.roles[role] = state
        self.ends.setdefault(role, set()).add(until)
        if old is None or clock_key(old["clock"]) <= clock_key(clock):
            state["grants"][source] = {"clock": clock, "until": until, "by": by, "taken": taken, "delegation": delegation}
        self.written = True
        return "changed" if not before and self.live(role, now) else "unchanged"

    def remove(self, role, clock, now):
        """The result, and the sources whose live grants it took."""
        before = self.live(role, now)
        state = self.roles.setdefault(role, {"removed": None, "grants": {}})
        if clock_key(state["removed"]) < clock_key(clock):
            state["removed"] = clock
        state["grants"] = {source: grant for source, grant in state["grants"].items()
                           if max(clock_key(grant["clock"]), clock_key(grant.get("taken"))) > clock_key(state["removed"])}
        after = self.live(role, now)
        self.written = True
        result = "unchanged" if not before else "superseded" if after else "changed"
        return result, before - after

    def withdraw(self, role, source, clock, now):
        """Takes back what one source gave, and what it gave before this moment and tells of later."""
        before = self.live(role, now)
        state = self.roles.setdefault(role, {"removed": None, "grants": {}})
        grant = state["grants"].setdefault(source, {"clock": None, "until": None, "by": None})
        if clock_key(grant.get("taken")) < clock_key(clock):
            grant["taken"] = clock
        after = self.live(role, now)
        self.written = True
        if source in after:
            return "superseded"
        return "changed" if source in before and not after else "unchanged"

    def register(self, partitions):
        roles = {}
        for name, state in self.roles.items():
            roles[name] = {"removed": state["removed"], "grants": state["grants"]}
        return {"user": self.id, "home": home(self.id, partitions), "cleared": self.cleared, "roles": roles}


def _criterion(criterion, user, catalogue):
    profile = user.profile
    below = criterion.get("include-subordinates") is True
    if criterion.get("all") is True or criterion.get("all") == "true":
        return True
    if "user" in criterion:
        managers = profile.get("managers") or []
        manager = profile.get("manager") or (managers[-1] if managers else None)
        return user.id == criterion["user"] or below and manager == criterion["user"]
    if "org-unit" in criterion:
        paths = profile.get("org-units") or {}
        chosen = [path for type, path in paths.items() if criterion.get("org-unit-type") in (None, type)]
        return any(path and (criterion["org-unit"] in path if below else path[-1] == criterion["org-unit"])
                   for path in chosen)
    if "group" in criterion:
        return criterion["group"] in (profile.get("groups") or [])
    if "manager-of-anyone" in criterion:
        return profile.get("manager-of-anyone", False) == criterion["manager-of-anyone"]
    raise AssertionError(f"the model does not know {criterion}")


def fits(role, profile):
    if profile is None:
        return True
    if role.get("type") and profile.get("type") and role["type"] != profile["type"]:
        return False
    return not role.get("portals") or bool(set(role["portals"]) & set(profile.get("portals") or []))


def effective(user, catalogue, now):
    if user is None or user.profile is not None and user.profile.get("status") != "active":
        return set()
    held = set()
    for name, role in catalogue.roles.items():
        if role.get("status", "active") != "active" or not fits(role, user.profile):
            continue
        if user.live(name, now) or derived(user, role, catalogue, now):
            held.add(name)
    return held


def derived(user, role, catalogue, now):
    if user.profile is None:
        return False
    for criterion in role.get("assigned-when") or []:
        if role.get("activate") == "at-sign-in" and not signed_in(user):
            return False
        if "when" in criterion:
            if holds(criterion["when"], Event({}, None, now, now, user.id), view(user, set())) is True:
                return True
        elif _criterion(criterion, user, catalogue):
            return True
    return False


def signed_in(user):
    """Since his profile, and since he was deleted."""
    return clock_key(user.signed_in) > clock_key(user.cleared) and user.signed_in[0] >= user.profile_clock[0]


def view(user, roles):
    """What `user.` paths see."""
    if user is None:
        return {}
    return {**(user.profile or {}), "roles": sorted(roles)}


# --- decisions ----------------------------------------------------------------------------------------------------

@dataclass
class Task:
    sequence: int
    result: str
    code: str = None
    effective: bool = None
    lockout: bool = False
    dropped: set = field(default_factory=set)
    baseline: str = None
    task: dict = None
    notification: dict = None


@dataclass
class Execution:
    automation: str  # None: a request
    tasks: list
    event: Event = None  # None: that of the fate
    word: str = "manual"  # what stands in place of the automation

    @property
    def name(self):
        return self.automation or self.word


@dataclass
class Fate:
    """What must become of one input record."""
    kind: str  # "skipped" (not for Waymark), "rejected", "duplicate", "decided"
    code: str = None
    event: Event = None
    executions: list = field(default_factory=list)
    before: set = field(default_factory=set)  # effective roles
    after: set = field(default_factory=set)
    sent: list = field(default_factory=list)  # requests that a delegation makes: events without an origin


class Model:
    def __init__(self, catalogue, partitions, kinds, wall=None, direct=False):
        """kinds: topic → "events", "directory" or "requests". `direct`: what is handed on is decided at once."""
        self.catalogue, self.partitions, self.kinds, self.wall = catalogue, partitions, kinds, wall
        self.direct = direct
        self.users = {}

    def feed(self, record):
        try:
            event = decode(record, self.kinds[record.topic], self.catalogue, self.partitions, self.wall)
        except Rejected as rejected:
            return Fate("rejected", rejected.code)
        if event is None or event.ignored:
            return Fate("skipped", event=event)
        return self._decide(event)

    def _decide(self, event):
        user = None
        if event.user is not None:
            user = self.users.get(event.user) or User(event.user)
        identity = event.attributes["source"], event.attributes["id"]
        if user and identity in user.recent:
            return Fate("duplicate", event=event)
        before = effective(user, self.catalogue, event.now)
        fate = Fate("decided", event=event, before=before)
        if event.type.startswith("directory."):
            self._directory(event, user)
        elif event.type in REQUEST_CHECKS:
            fate.executions = [self._request(event, user, fate)]
        else:
            before_view = view(user, before)
            matching = [name for name in sorted(self.catalogue.automations, key=str.encode)
                        if self._matches(self.catalogue.automations[name], event, before_view)]
            fate.executions = [self._run(self.catalogue.automations[name], event, user) for name in matching]
        if user:
            lasting = any(task.result not in ("skipped", "failed")
                          for execution in fate.executions for task in execution.tasks)
            if lasting:
                user.recent = (user.recent + [identity])[-32:]
                user.written = True
            if user.written:
                self.users[user.id] = user
        fate.after = effective(user, self.catalogue, event.now)
        if self.direct:
            for follows in fate.sent:
                follows.origin = event.origin
                for execution in self._decide(follows).executions:
                    execution.event = follows
                    fate.executions.append(execution)
        return fate

    def _matches(self, automation, event, before_view):
        return automation.get("enabled", True) and triggers(automation, event.type) and \
            holds(automation.get("when"), event, before_view) is True

    def _clock(self, event, automation="", sequence=0):
        return (event.time, event.attributes["source"], event.attributes["id"], automation, sequence)

    def _directory(self, event, user):
        clock = self._clock(event)
        if event.type == "directory.user.deleted":
            if clock_key(user.cleared) < clock_key(clock):
                user.cleared = clock
                user.ran = set()
            if clock_key(user.profile_clock) <= clock_key(clock):
                user.profile, user.profile_clock = {"status": "deleted"}, clock
        elif event.type == "directory.user.signed-in":
            user.signed_in = max(user.signed_in, clock, key=clock_key)
        elif clock_key(user.profile_clock) <= clock_key(clock):
            user.profile = {name: value for name, value in event.data.items() if value is not None and name in PROFILE_CHECKS}
            user.profile_clock = clock
        user.written = True

    def _request(self, event, user, fate):
        data = event.data
        if event.type == "role.delegation.requested":
            return self._delegate(event, user, fate)
        task = {"sequence": 0, "type": "change-role", "role": data["role"], "action": data.get("action", "withdraw")}
        source = "manual"
        if event.type == "role.grant.withdrawn":
            source = task["source"] = data["source"]
        delegation = "holders" if data.get("delegation") == "holders" else None
        until = moment(data["until"]) if data.get("until") is not None else None
        return Execution(None, [self._change_role(task, {}, event, user, source, self._clock(event), until, delegation)])

    def _delegate(self, event, user, fate):
        data = event.data
        task = {"sequence": 0, "type": "delegate", "role": data["role"], "to": data["to"]}
        code, until = self._may_hand_on(event, user)
        if code:
            return Execution(None, [Task(0, "failed", code, task=task)], word="delegation")
        if data.get("until") is not None:
            until = min(moment(data["until"]), until or moment(data["until"]))
        request = {"role": data["role"], "action": "add", "by": user.id, "reason": data.get("reason"), "until": until}
        attributes = {"id": "delegation:{}/{}/{}".format(*event.origin), "source": "/waymark",
                      "type": "role.assignment.requested"}
        request["until"] = None if until is None else microseconds_as_text(until)
        fate.sent = [Event(attributes, request, event.time, event.now, data["to"])]
        return Execution(None, [Task(0, "requested", task=task)], word="delegation")

    def _may_hand_on(self, event, user):
        """The code of a refusal, and when the right to hand it on ends."""
        role = self.catalogue.roles.get(event.data["role"])
        if role is None:
            return "ROLE_UNKNOWN", None
        if role.get("kind", "portal") != "portal" or role.get("managed") is True:
            return "ROLE_PROTECTED", None
        if user.profile is None and self.catalogue.closed:
            return "USER_UNKNOWN", None
        if user.profile is not None and user.profile.get("status") != "active":
            return "USER_INACTIVE", None
        name = event.data["role"]
        if name not in effective(user, self.catalogue, event.now):
            return "ROLE_NOT_HELD", None
        live = user.live(name, event.now)
        grants = user.roles[name]["grants"] if live else {}
        if role.get("delegation") == "holders":
            ends = [grants[source]["until"] for source in live]
            if derived(user, role, self.catalogue, event.now):
                ends.append(None)
        else:
            ends = [grants[source]["until"] for source in live if grants[source].get("delegation") == "holders"]
        if not ends or event.data["to"] == user.id:
            return "DELEGATION_NOT_ALLOWED", None
        return None, None if None in ends else max(ends)

    def _journey(self, event):
        for name in ("enrollment", "journey"):
            value = event.data.get(name) if isinstance(event.data, dict) else None
            if kind(value) in ("text", "number", "boolean"):
                return name, _as_text(value)
        return None

    def _run(self, automation, event, user):
        name = automation["automation"]
        tasks = sorted(automation["tasks"], key=lambda task: task["sequence"])
        journey = {"every-event": None, "once-per-user": (name,), "once-per-journey": (name, self._journey(event))}[
            automation.get("repeat", "every-event")]
        if user and journey and journey in user.ran:
            return Execution(name, [self._skipped(task, event, user, "ALREADY_RAN") for task in tasks])
        outcomes, stopped = [], False
        for task in tasks:
            if stopped:
                outcomes.append(self._skipped(task, event, user, "STOPPED"))
                continue
            if task["type"] == "notify":
                outcome = self._notify(task, event, user)
            else:
                until = None
                if "expires-after" in task:
                    until = event.time + microseconds(task["expires-after"])
                outcome = self._change_role(task, automation, event, user, f"automation/{name}",
                                            self._clock(event, name, task["sequence"]), until)
            outcomes.append(outcome)
            stopped = outcome.result == "failed" and task.get("on-failure") == "stop"
        if user and journey and any(outcome.result not in ("skipped", "failed") for outcome in outcomes):
            user.ran.add(journey)
            user.written = True
        return Execution(name, outcomes)

    def _effective(self, task, event, user):
        return None if user is None or task["type"] != "change-role" else \
            task["role"] in effective(user, self.catalogue, event.now)

    def _skipped(self, task, event, user, code):
        return Task(task["sequence"], "skipped", code, self._effective(task, event, user), task=task)

    def _refusal(self, task, automation, event, user):
        manual = event.type in REQUEST_CHECKS
        adds = task["action"] == "add"
        if not manual and (automation.get("entity", "user-journey") != "user-journey"
                           or not event.type.startswith(JOURNEY_TYPES)):
            return "ENTITY_NOT_ALLOWED"
        if user is None:
            return "USER_MISSING"
        if user.profile is None and self.catalogue.closed:
            return "USER_UNKNOWN"
        if adds and user.profile is not None and user.profile.get("status") != "active":
            return "USER_INACTIVE"
        role = self.catalogue.roles.get(task["role"])
        if role is None:
            return "ROLE_UNKNOWN"
        if role.get("kind", "portal") != "portal" or role.get("managed") is True:
            return "ROLE_PROTECTED"
        if not adds:
            return None
        if role.get("status", "active") != "active":
            return "ROLE_INACTIVE" if role["status"] == "inactive" else "ROLE_ARCHIVED"
        if user.profile is not None:
            if role.get("type") and user.profile.get("type") and role["type"] != user.profile["type"]:
                return "ROLE_TYPE_MISMATCH"
            if role.get("portals") and not set(role["portals"]) & set(user.profile.get("portals") or []):
                return "ROLE_PORTAL_MISMATCH"
        return None

    def _change_role(self, task, automation, event, user, source, clock, until, delegation=None):
        code = self._refusal(task, automation, event, user)
        if code:
            return Task(task["sequence"], "failed", code, self._effective(task, event, user), task=task)
        role, outcome = task["role"], Task(task["sequence"], "", task=task)
        if task["action"] == "add":
            outcome.result = user.add(role, source, clock, until, event.origin, event.now, delegation)
        else:
            if task["action"] == "withdraw":
                outcome.result = user.withdraw(role, source, clock, event.now)
            else:
                outcome.result, taken = user.remove(role, clock, event.now)
                outcome.dropped = taken - {source}
            held = effective(user, self.catalogue, event.now)
            if role in held and derived(user, self.catalogue.roles[role], self.catalogue, event.now):
                outcome.code = "STILL_DERIVED"
            outcome.lockout = outcome.result == "changed" and not held
        outcome.effective = self._effective(task, event, user)
        if outcome.lockout:
            outcome.baseline = self._baseline(task, event, user)
        return outcome

    def _baseline(self, task, event, user):
        """What is given to him who is left with nothing, if he may hold it."""
        name = self.catalogue.baseline
        role = self.catalogue.roles.get(name)
        if role is None or name == task["role"] or role.get("status", "active") != "active" or \
                role.get("kind", "portal") != "portal" or role.get("managed") is True or not fits(role, user.profile) or \
                user.profile is not None and user.profile.get("status") != "active":
            return None
        clock = self._clock(event, "baseline", task["sequence"])
        result = user.add(name, "automation/baseline", clock, None, event.origin, event.now)
        return None if result == "superseded" else name

    def _notify(self, task, event, user):
        def failed(code):
            return Task(task["sequence"], "failed", code, task=task)

        if user is None:
            return failed("USER_MISSING")
        if task["channel"] not in self.catalogue.channels:
            return failed("CHANNEL_UNKNOWN")
        profile = user.profile or {}
        if task.get("to", "user") == "manager" and not (profile.get("manager") or profile.get("managers")):
            return failed("RECIPIENT_UNKNOWN")
        seen = view(user, effective(user, self.catalogue, event.now))
        try:
            text = {name: render(task.get(name, ""), event, seen) for name in ("title", "message")}
        except TemplateFailed:
            return failed("TEMPLATE_FAILED")
        if event.now - event.time > self.catalogue.notify_age:
            return Task(task["sequence"], "suppressed", "TOO_OLD", task=task)
        return Task(task["sequence"], "requested", task=task, notification={"channel": task["channel"], **text})
