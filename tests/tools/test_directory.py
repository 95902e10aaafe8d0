"""waymark directory import, offline: files of people, the profiles that follow, the difference that is sent."""
import json
import re
import shutil

import pytest
from conftest import ROOT, SAMPLE, event, lines, waymark


class Folder:
    """A folder with a file of people, and what the registers know of them."""

    def __init__(self, path):
        self.path = path
        self.registers = path / "registers.jsonl"
        self.registers.write_text("")

    def write(self, text, name="people.csv"):
        data = text if isinstance(text, bytes) else text.encode()
        (self.path / name).write_bytes(data)
        return self

    def call(self, *more, name="people.csv", **options):
        return waymark("directory", "import", self.path / name, *more, cwd=self.path, **options)

    def events(self, *more, **options):
        """The events of an import that compares with the registers."""
        done = self.call("--against", self.registers, "--output", self.path / "events.jsonl", *more, **options)
        assert done.code == 0, done.err
        return [json.loads(line) for line in (self.path / "events.jsonl").read_text().splitlines()]

    def profiles(self, text, *more, name="people.csv", **options):
        """id -> profile of a whole file."""
        self.write(text, name)
        return {e["subject"]: e["data"] for e in self.events("--full", *more, name=name, **options)}

    def take(self, *events):
        """The registers become what the worker makes of these events."""
        workspace = self.path / "ws"
        workspace.mkdir(exist_ok=True)
        (workspace / "roles.yaml").write_text("role: member\nlabel: M\n")
        done = waymark("simulate", workspace, "-", "--users", self.registers, "--outcomes", self.path / "outcomes",
                       stdin=lines(*events))
        assert done.code == 0, done.err
        assert (self.path / "outcomes").read_text() == "", "an event of the import was rejected"

    def findings(self, text, *more, name="people.csv", code=1):
        """(line, column, code) of each finding, of an import that must fail and write nothing."""
        self.write(text, name)
        (self.path / "never.jsonl").unlink(missing_ok=True)
        done = self.call("--full", "--output", self.path / "never.jsonl", *more, name=name)
        assert done.code == code, done.out + done.err
        assert code == 0 or not (self.path / "never.jsonl").exists()
        return [(int(line), int(column), code) for line, column, code in
                re.findall(r"^[^:\n]*:(\d+):(\d+): (?:error|warning): .* \[DIRECTORY_(\w+)\]$", done.err, re.M)]

    def complaint(self, text, *more, name="people.csv"):
        self.write(text, name)
        done = self.call("--full", "--dry-run", *more, name=name)
        assert done.code == 1, done.out + done.err
        return done.err


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


# --- profiles ---

def test_a_profile_has_all_that_the_row_says_and_what_follows_from_others(folder):
    profiles = folder.profiles(
        "id,name,email,status,type,manager,org-units.division,org-units.site,groups,portals,accounts,attributes.tier\n"
        "top,Top,t@x,active,employee,,acme,,,,,\n"
        "mid,Mid,,suspended,,top,acme/emea,,,,,\n"
        "low,Low,,inactive,partner,mid,acme/emea/dach,berlin,b; a|b,p,acme/sub,gold\n")
    assert profiles["top"] == {"status": "active", "type": "employee", "name": "Top", "email": "t@x",
                               "org-units": {"division": ["acme"]}, "manager-of-anyone": True}
    assert profiles["mid"] == {"status": "suspended", "name": "Mid", "org-units": {"division": ["acme", "emea"]},
                               "manager": "top", "managers": ["top"], "manager-of-anyone": True}
    assert profiles["low"] == {"status": "inactive", "type": "partner", "name": "Low",
                               "org-units": {"division": ["acme", "emea", "dach"], "site": ["berlin"]},
                               "groups": ["a", "b"], "portals": ["p"], "accounts": ["acme", "sub"],
                               "manager": "mid", "managers": ["top", "mid"], "attributes": {"tier": "gold"}}


def test_without_a_status_column_everybody_is_active(folder):
    assert folder.profiles("id\nu\n") == {"u": {"status": "active"}}


def test_an_empty_status_makes_nobody_active(folder):
    assert folder.findings("id,status\nu,\nv,active\n") == [(2, 3, "VALUE")]
    assert folder.findings('{"id":"u","status":""}\n{"id":"v","status":null}\n', name="p.jsonl") == [(1, 20, "VALUE")]


def test_attributes_have_names_and_kinds(folder):
    profiles = folder.profiles(
        'id,attributes.score:number,attributes.a.b:boolean,attributes.a.c:list,"attributes.""x.y:z""",attributes.n\n'
        "u,80.5,TRUE,one; two,text,007\nv,-3,false,,,\n")
    assert profiles["u"]["attributes"] == {"score": 80.5, "a": {"b": True, "c": ["one", "two"]}, "x.y:z": "text",
                                           "n": "007"}
    assert profiles["v"]["attributes"] == {"score": -3, "a": {"b": False}}


def test_parts_of_paths_and_sets_can_have_separators_in_them(folder):
    profiles = folder.profiles("id,org-units.d,groups,accounts\n"
                               r"u,a\/b / c\\,x\;y; ACME\sales | p\|q,one" "\n")
    assert profiles["u"] == {"status": "active", "groups": ["ACME\\sales", "p|q", "x;y"], "accounts": ["one"],
                             "org-units": {"d": ["a/b", "c\\"]}}


def test_json_lines_say_the_same(folder):
    profiles = folder.profiles(lines(
        {"id": "low", "manager": "top", "org-units": {"d": ["acme", "a/b"], "e": "a/b"}, "groups": ["b", "a", "b"],
         "accounts": ["x"], "attributes": {"deep": {"n": [1, 2.5, None, True]}}, "email": None, "name": ""},
        {"id": "top", "type": "guest"}).replace("\n", "\r\n"), name="people.jsonl")
    assert profiles == {
        "low": {"status": "active", "groups": ["a", "b"], "accounts": ["x"], "manager": "top", "managers": ["top"],
                "attributes": {"deep": {"n": [1, 2.5, None, True]}}, "org-units": {"d": ["acme", "a/b"], "e": ["a/b"]}},
        "top": {"status": "active", "type": "guest", "manager-of-anyone": True}}


UNITS = "type,unit,parent\nd,acme,\nd,emea,acme\nd,dach,emea\ne,emea,\n"


def test_units_from_a_file_of_their_own(folder):
    folder.write(UNITS, "units.csv")
    profiles = folder.profiles("id,org-units.d,org-units.e\nu,dach,emea\nv,acme/emea,\n", "--org-units", "units.csv")
    assert profiles["u"]["org-units"] == {"d": ["acme", "emea", "dach"], "e": ["emea"]}
    assert profiles["v"]["org-units"] == {"d": ["acme", "emea"]}
    folder.write(lines({"type": "d", "unit": "dach", "parent": "acme"}, {"type": "d", "unit": "acme", "parent": None}),
                 "units.jsonl")
    profiles = folder.profiles('{"id":"u","org-units":{"d":"dach"}}', "--org-units", "units.jsonl", name="p.jsonl")
    assert profiles["u"]["org-units"] == {"d": ["acme", "dach"]}


# --- the event ---

def test_events_are_cloudevents_that_a_worker_takes(folder):
    folder.write("id,name\nu,Ü\n")
    (sent,) = folder.events("--time", "2026-01-02T03:04:05Z", "--source", "/hr", "--reason", "monthly")
    assert {key: value for key, value in sent.items() if key != "id"} == {
        "specversion": "1.0", "source": "/hr", "type": "directory.user.updated", "subject": "u",
        "time": "2026-01-02T03:04:05Z", "reason": "monthly", "data": {"status": "active", "name": "Ü"}}
    folder.take(sent)
    assert json.loads(folder.registers.read_text())["register"]["profile"]["clock"][:3] == [
        1767323045000000, "/hr", sent["id"]]


def test_the_id_is_that_of_user_content_and_time(folder):
    def ids(text, time="2026-01-01T00:00:00Z"):
        folder.write(text)
        return [e["id"] for e in folder.events("--full", "--time", time)]

    first = ids("id,name\nu,N\nv,N\n")
    assert first == ids("name,id\nN,u\nN,v\n") and len(set(first)) == 2
    assert not set(first) & set(ids("id,name\nu,M\nv,M\n"))
    assert not set(first) & set(ids("id,name\nu,N\nv,N\n", "2026-01-01T00:00:01Z"))


# --- CSV ---

@pytest.mark.parametrize("text", [
    "id,name\nu,A\nv,B\n", "id;name\nu;A\nv;B", "id\tname\nu\tA\nv\tB\n", "id,name\r\nu,A\r\nv,B\r\n",
    "id,name\ru,A\rv,B\r", "\ufeffid,name\nu,A\nv,B\n", '"id","name"\n"u","A"\n"v",B\n', "name,id\nA,u\nB,v\n",
    "id,name\n\nu,A\n,\n  \nv,B\n\n", "id , name\n u ,A\nv,  B  \n",
], ids=range(10))
def test_the_ways_to_write_a_table(folder, text):
    assert folder.profiles(text) == {"u": {"status": "active", "name": "A"}, "v": {"status": "active", "name": "B"}}


def test_quotes_keep_everything(folder):
    profiles = folder.profiles('id,name,email\nu,"a, ""b""\r\nc "," d "\n')
    assert profiles["u"] == {"status": "active", "name": 'a, "b"\r\nc ', "email": " d "}


def test_the_separator_can_be_said(folder):
    assert folder.profiles("id|name\nu|a,b;c\n", "--separator", "|")["u"]["name"] == "a,b;c"
    assert folder.profiles("id;a,b,c\nu;A\n".replace("a,b,c", "name"), "--separator", ";")["u"]["name"] == "A"
    assert folder.call("--separator", "x").code == 2


def test_stdin_needs_a_format(folder):
    assert waymark("directory", "import", "-", "--full", "--dry-run", stdin="id\nu\n").code == 2
    done = waymark("directory", "import", "-", "--format", "csv", "--full", "--output", "-", stdin="id\nu\n")
    assert done.code == 0 and done.json[0]["subject"] == "u"
    done = waymark("directory", "import", "-", "--format", "jsonl", "--full", "--output", "-", stdin='{"id":"u"}')
    assert done.code == 0 and done.json[0]["subject"] == "u"


@pytest.mark.parametrize("text, found", [
    ("id,name\nu,a\"b\nv,B\nw\n", [(2, 3, "SYNTAX"), (4, 1, "SYNTAX")]),  # and on it goes with the next line
    ('id,name\nu,"a"b\n', [(2, 3, "SYNTAX")]),
    ('id,name\nu,"a\nv,b\n', [(2, 3, "SYNTAX")]),
    ("id,name\nu\nv,b,c\n", [(2, 1, "SYNTAX"), (3, 1, "SYNTAX")]),
    (b"id,name\nu,\xe4\nv,a\x00b\n", [(2, 3, "SYNTAX"), (3, 3, "SYNTAX")]),
    ("", [(1, 1, "SYNTAX")]),
    ("id,name\nu,Ä,\n", [(2, 1, "SYNTAX")]),
    ('id,name,status\nu,"a\nb",x\nv,ÄÖ,y\n', [(3, 4, "VALUE"), (4, 6, "VALUE")]),  # places behind a line end
    ("id," + ",".join(f"attributes.a{i}" for i in range(600)) + "\n", None),
], ids=range(9))
def test_what_is_no_table(folder, text, found):
    findings = folder.findings(text)
    assert findings == found or (found is None and findings[0][2] == "SYNTAX")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_lines_are_counted_whatever_ends_them(folder, end):
    rows = ["id,name,status", 'u,"a' + end + 'b",active', "", "v,ü,bad", "w,x,"]
    assert folder.findings(end.join(rows)) == [(5, 5, "VALUE"), (6, 5, "VALUE")]


def test_a_quote_that_is_not_closed_costs_no_more_than_4_mib(folder):
    (finding,) = folder.findings('id,name\nu,"' + "x" * (5 << 20) + '\nv,b\n')
    assert finding == (2, 3, "SYNTAX")


def test_utf_16_is_named(folder):
    done = folder.write("id\nu\n".encode("utf-16")).call("--full", "--dry-run")
    assert done.code == 2 and "UTF-16" in done.err


# --- columns ---

@pytest.mark.parametrize("header, column, hint", [
    ("id,nmae", 4, "did you mean 'name'"), ("Id,name", 1, "did you mean 'id'"), ("name,email", 1, "no column 'id'"),
    ("id,org-unit.division", 4, "did you mean 'org-units.division'"), ("id,attribute.x", 4, "did you mean 'attributes.x'"),
    ("id,managers", 4, "computed from 'manager'"), ("id,name,name", 9, "twice"), ("id,org-units", 4, "'org-units.<type>'"),
    ("id,colour", 4, "goes into 'attributes.<name>'"), ("id,attributes.a,attributes.a.b", 17, "twice"),
    ("id,attributes.a:int", 4, "no kind"), ("id,attributes.", 4, "names no attribute"), ("id,id", 4, "twice"), ("id,user", 4, "twice"),
    ("id,", 4, "unknown column ''"),
])
def test_columns_that_mean_nothing(folder, header, column, hint):
    err = folder.complaint(header + "\n" + ",".join("x" for _ in header.split(",")) + "\n")
    assert f"people.csv:1:{column}: error: " in err and hint in err and "[DIRECTORY_COLUMN]" in err


def test_members_that_mean_nothing(folder):
    findings = folder.findings(lines({"id": "u", "nmae": "x"}, {"id": "v", "name": 5, "groups": "g", "org-units": []},
                                     {"id": 5}, {"name": "x"}, [], "no json", {"id": "w", "groups": [1]},
                                     {"id": "x", "org-units": {"d": 5, "e": [], "f": ["a", ""]}},
                                     {"id": "y", "attributes": "a", "accounts": ["", "a"]}, '{"id":"z","id":"z"}'),
                               name="people.jsonl")
    assert [(line, code) for line, _, code in findings] == [
        (1, "COLUMN"), (2, "VALUE"), (2, "VALUE"), (2, "VALUE"), (3, "VALUE"), (4, "VALUE"), (5, "SYNTAX"),
        (6, "SYNTAX"), (7, "VALUE"), (8, "VALUE"), (8, "VALUE"), (8, "VALUE"), (9, "VALUE"), (9, "VALUE"),
        (10, "SYNTAX")]


def test_a_member_is_found_where_it_stands(folder):
    line = '{ "x:\\"": {"status": ":"}, "id" : "u", "ä": [1], "status": "actve"}'
    findings = folder.findings(line, name="people.jsonl")
    assert [column for _, column, _ in findings] == [
        line.index('{"status') + 1, line.index("[1]") + 1, line.index('"actve') + 1]


# --- values ---

def test_words_and_ids(folder):
    err = folder.complaint("id,status,type,manager\nu,actve,partnr,\nv,deleted,,\n\"a\tb\",active,,\n,active,,\n"
                           + "x" * 257 + ",active,,\nw,active,,\"m\x7f\"\n")
    assert "people.csv:2:3: error: 'actve' is no status (active, suspended, inactive), did you mean 'active'" in err
    assert "people.csv:2:9: error: 'partnr' is no type (employee, partner, customer, guest), did you mean 'partner'" in err
    assert "people.csv:3:3: error: 'deleted' is no status (active, suspended, inactive): leave out who is gone" in err
    assert "people.csv:4:1: error: 'a\\x09b' is no user id" in err
    assert "people.csv:5:1: error: a row without an id" in err
    assert "people.csv:6:1: error: " in err and "people.csv:7:11: error: the manager 'm\\x7f' is no user id" in err
    assert err.count("error: ") == 7


def test_kinds_of_attributes(folder):
    assert folder.findings("id,attributes.n:number,attributes.b:boolean\nu,1.5,true\nv,\"1,5\",yes\nw,080,1\nx,1e999,\n") == [
        (3, 3, "VALUE"), (3, 9, "VALUE"), (4, 3, "VALUE"), (4, 7, "VALUE"), (5, 3, "VALUE")]


def test_somebody_twice(folder):
    assert folder.findings("id,name\nu,A\nv,B\nu,A\nu,C\n") == [(4, 1, "DUPLICATE"), (5, 1, "DUPLICATE")]
    folder.write("id,name\nu,A\nv,B\nu,A\n")
    assert [e["subject"] for e in folder.events("--full", "--skip-invalid")] == ["v"], "neither of the two is believed"


# --- managers ---

def test_unknown_managers_and_circles_are_found_where_they_stand(folder):
    err = folder.complaint("manager,id\nnobody,u\nw,v\nx,w\nv,x\ny,y\nx,below\nu,below2\n")
    assert "people.csv:2:1: error: the manager 'nobody' is not in the file [DIRECTORY_MANAGER_UNKNOWN]" in err
    assert "people.csv:3:1: error: 'v', 'w', 'x' are managers in a circle [DIRECTORY_CYCLE]" in err
    assert "people.csv:6:1: error: 'y' is his own manager [DIRECTORY_CYCLE]" in err
    assert err.count("error: ") == 3 and "7 of 7 people can't be imported" in err


def test_who_stands_below_a_mistake_is_left_out_with_it(folder):
    folder.write("id,manager,status\nu,nobody,active\nbelow,u,active\nbelow2,below,active\nfine,,active\n"
                 "wrong,fine,actve\nunder,wrong,active\n")
    done = folder.call("--full", "--skip-invalid", "--dry-run", "--json")
    assert done.code == 0
    summary = done.json[-1]
    assert (summary["read"], summary["invalid"], summary["below-invalid"], summary["planned"]) == (6, 2, 2, 2)
    sent = {e["subject"]: e["data"] for e in folder.events("--full", "--skip-invalid")}
    assert sent["under"]["managers"] == ["fine", "wrong"], "a wrong word says nothing against the way up"
    assert set(sent) == {"fine", "under"}


def test_a_chain_of_managers_has_a_limit(folder):
    def chain(size):
        return "id,manager\n" + "".join(f"u{i},{f'u{i - 1}' if i else ''}\n" for i in range(size))

    profiles = folder.profiles(chain(1001))
    assert len(profiles["u1000"]["managers"]) == 1000 and profiles["u1000"]["managers"][:2] == ["u0", "u1"]
    assert folder.findings(chain(10000)) == [(1003, 7, "LIMIT")], "told once, where it becomes too long"
    folder.write(chain(10000))
    assert len(folder.events("--full", "--skip-invalid")) == 1001
    folder.take(*folder.events("--full", "--skip-invalid"))


# --- units ---

def test_units_that_are_wrong(folder):
    folder.write("type,unit,parent\nd,a,b\nd,b,c\nd,c,a\nd,x,nowhere\nd,a,\n,u,\nd,,\nd,self,self\ne,below,\n", "units.csv")
    err = folder.complaint("id,org-units.d\nu,a\nv,x\n", "--org-units", "units.csv")
    for place in ("2:5: error: the parents of unit 'a' lead back", "5:5: error: the parent 'nowhere' is no unit of 'd'",
                  "6:3: error: unit 'a' of 'd' stands in line 2 too", "7:1: error: 'type' is missing",
                  "8:1: error: 'unit' is missing", "9:8: error: the parents of unit 'self'"):
        assert "units.csv:" + place in err
    assert "people.csv:2:3: error: nobody knows what is above unit 'a' [DIRECTORY_CYCLE]" in err
    assert "people.csv:3:3: error: nobody knows what is above unit 'x'" in err
    assert err.count("error: ") == 8


def test_units_that_are_unknown(folder):
    folder.write(UNITS, "units.csv")
    err = folder.complaint("id,org-units.d,org-units.f\nu,emae,\nv,globex/emea,\nw,,emea\n", "--org-units", "units.csv")
    assert "2:3: error: 'emae' is no unit of 'd' in units.csv, did you mean 'emea' [DIRECTORY_UNIT_UNKNOWN]" in err
    assert "3:3: error: unit 'emea' has other units above it in the file of units [DIRECTORY_UNIT_UNKNOWN]" in err
    assert "4:4: error: 'emea' is no unit of 'f'" in err
    folder.write("type,unit,paren\n", "units.csv")
    assert "did you mean 'parent'" in folder.complaint("id\nu\n", "--org-units", "units.csv")
    assert folder.call("--org-units", "nowhere.csv", "--full", "--dry-run").code == 2


def test_paths_of_units(folder):
    assert folder.findings("id,org-units.d\nu,a/b/a\nv,a//b\nw,/\n") == [(2, 3, "CYCLE"), (3, 3, "VALUE"), (4, 3, "VALUE")]
    assert folder.findings("id,org-units.d\nu,a/x\nv,b/x\nw,c/x\nx,a/x\n", code=0) == [(3, 3, "UNIT_AMBIGUOUS")]
    deep = "/".join(f"u{i}" for i in range(1001))
    assert folder.findings(f"id,org-units.d\nu,{deep}\n") == [(2, 3, "LIMIT")]


# --- limits ---

def test_a_profile_too_large_for_an_event_is_found(folder):
    groups = ";".join(f"group-{i}" for i in range(100000))
    assert folder.findings(f'id,groups\nu,"{groups}"\nv,g\n') == [(2, 1, "LIMIT")]


def test_a_profile_too_large_for_a_register_is_a_warning(folder):
    groups = ";".join(f"group-{i}" for i in range(25000))
    done = folder.write(f'id,groups\nu,"{groups}"\n').call("--full", "--dry-run")
    assert done.code == 0 and re.search(r"people.csv:2:1: warning: .*limits.register-bytes", done.err)
    folder.take(*folder.events("--full"))


def test_the_settings_have_the_limit(folder, workspace):
    (workspace / "waymark.yaml").write_text("limits: { event-bytes: 1024 }\n")
    folder.write("id,name\nu," + "x" * 1000 + "\n")
    done = folder.call("--full", "--dry-run", "-C", workspace)
    assert done.code == 1 and "limits.event-bytes is 1024" in done.err


def test_attributes_nested_too_deep_are_found(folder):
    def nested(depth):
        return '{"id":"u","attributes":' + '{"a":' * depth + "1" + "}" * depth + "}\n"

    assert folder.findings(nested(31), name="p.jsonl") == [(1, 24, "LIMIT")]
    folder.write(nested(30), "p.jsonl")
    folder.take(*folder.events("--full", name="p.jsonl"))


def test_many_people_quickly(folder):
    """A hundred thousand, ten below each."""
    rows = ["id,name,manager,org-units.d,groups"]
    rows += [f"user-{i},Name {i},{f'user-{(i - 1) // 10}' if i else ''},acme/unit-{i % 100},all;g{i % 7}" for i in range(100000)]
    folder.write("\n".join(rows))
    done = folder.call("--full", "--dry-run", "--json")
    assert done.code == 0 and done.json[-1]["planned"] == 100000


# --- the difference ---

PEOPLE = "id,name,manager,groups,attributes.tier\ntop,Top,,,\nu,U,top,b;a,gold\nv,V,,,\n"


def test_import_twice_is_nothing(folder):
    folder.write(PEOPLE)
    first = folder.events()
    assert [e["subject"] for e in first] == ["top", "u", "v"]
    folder.take(*first)
    assert folder.events() == []
    folder.write("attributes.tier,groups,id,manager,name\n,,v,,V\ngold,a;b;a,u,top,U\n,,top,,Top\n")
    assert folder.events() == [], "the order of columns, rows and groups means nothing"
    assert len(folder.events("--full")) == 3


def test_only_the_difference_is_sent_and_told(folder):
    folder.take(*folder.write(PEOPLE).events())
    folder.write("id,name,manager,groups,attributes.tier\ntop,Top,,,\nu,U,v,b,gold\nv,V,,,\nw,W,,,\n")
    events = folder.events()
    assert {e["subject"] for e in events} == {"top", "u", "v", "w"}, "managers are other people's fields too"
    done = folder.call("--against", folder.registers, "--dry-run", "--json")
    assert done.json == [
        {"user": "top", "change": "changed", "fields": ["manager-of-anyone"]},
        {"user": "u", "change": "changed", "fields": ["groups", "manager", "managers"]},
        {"user": "v", "change": "changed", "fields": ["manager-of-anyone"]}, {"user": "w", "change": "new"},
        {"read": 4, "invalid": 0, "below-invalid": 0, "unchanged": 0, "new": 1, "changed": 3, "missing": 0, "newer": 0,
         "deleted": 0, "planned": 4, "sent": 0}]
    done = folder.call("--against", folder.registers, "--dry-run")
    assert re.search(r"^u +changed +groups, manager, managers$", done.out, re.M) and "4 events would be sent" in done.out
    folder.take(*folder.write(PEOPLE).events("--time", "2026-01-01T00:00:00Z"), *events)
    (folder.path / "people.csv").write_text("id,name,manager,groups,attributes.tier\ntop,Top,,,\nu,U,v,b,gold\nv,V,,,\nw,W,,,\n")
    assert folder.events() == []


def test_a_register_of_somebody_else_is_compared_by_what_it_means(folder):
    folder.take(event(1, type="directory.user.updated", subject="u", source="/hr", data={
        "status": "active", "groups": ["b", "a"], "attributes": {"y": 1.0, "x": {"b": 1, "a": 2}}, "unknown": 5}))
    assert folder.write(lines({"id": "u", "groups": ["a", "b"], "attributes": {"x": {"a": 2, "b": 1}, "y": 1}}),
                        "p.jsonl").events(name="p.jsonl") == []
    assert len(folder.write('{"id":"u","groups":["a","b"],"attributes":{"x":{"a":2,"b":1},"y":2}}',
                            "p.jsonl").events(name="p.jsonl")) == 1


def test_users_without_a_profile_are_new_and_nobody_misses_them(folder):
    folder.take(event(1, type="directory.user.deleted", subject="u", data=None),
                event(2, type="directory.user.deleted", subject="gone", data=None))
    done = folder.write("id\nu\n").call("--against", folder.registers, "--dry-run", "--json")
    assert done.json[0] == {"user": "u", "change": "new"} and done.json[-1]["missing"] == 0


def test_an_import_of_yesterday_says_that_it_comes_too_late(folder):
    folder.take(*folder.write(PEOPLE).events("--time", "2026-06-01T00:00:00Z"))
    folder.write(PEOPLE.replace("gold", "tin"))
    late = folder.events("--time", "2026-05-01T00:00:00Z")
    done = folder.call("--against", folder.registers, "--dry-run", "--time", "2026-05-01T00:00:00Z")
    assert "1 of them have a profile that is newer" in done.out
    before = folder.registers.read_text()
    folder.take(*folder.write(PEOPLE).events("--full", "--time", "2026-06-01T00:00:00Z"), *late)
    assert folder.registers.read_text() == before


# --- who is missing ---

def crowd(size, without=()):
    return "id\n" + "".join(f"u{i}\n" for i in range(size) if i not in without)


def test_who_is_missing_is_listed_and_deleted_when_asked(folder):
    folder.take(*folder.write(crowd(20)).events())
    folder.write(crowd(20, without=(3, 7)))
    assert folder.events() == []
    done = folder.call("--against", folder.registers, "--dry-run")
    assert re.search(r"^not in the file +2 ", done.out, re.M) and re.search(r"^u3 +not in the file", done.out, re.M)
    deletions = folder.events("--delete-missing")
    assert [(e["type"], e["subject"], "data" in e) for e in deletions] == [
        ("directory.user.deleted", "u3", False), ("directory.user.deleted", "u7", False)]
    folder.take(*folder.write(crowd(20)).events("--full", "--time", "2026-01-01T00:00:00Z"), *deletions)
    folder.write(crowd(20, without=(3, 7)))
    assert folder.events("--delete-missing") == [], "import twice is nothing"
    folder.write(crowd(20))
    assert [e["subject"] for e in folder.events("--delete-missing")] == ["u3", "u7"], "they come back"


def test_too_many_deletions_are_refused(folder):
    folder.take(*folder.write(crowd(20)).events())
    folder.write(crowd(20, without=(1, 2, 3)))
    done = folder.call("--against", folder.registers, "--delete-missing", "--output", "never")
    assert done.code == 1 and "3 of 20 people would be deleted" in done.err and not (folder.path / "never").exists()
    assert folder.call("--against", folder.registers, "--delete-missing", "--dry-run").code == 1
    assert len(folder.events("--delete-missing", "--max-deletions", "3")) == 3
    assert folder.call("--against", folder.registers, "--delete-missing", "--max-deletions", "2", "--dry-run").code == 1
    folder.write("id\n")
    assert folder.call("--against", folder.registers, "--delete-missing", "--dry-run").code == 1, "an empty file"


def test_a_row_without_an_owner_deletes_nobody(folder):
    folder.take(*folder.write(crowd(20)).events())
    folder.write(crowd(20, without=(3,)) + '"u"3\n')
    done = folder.call("--against", folder.registers, "--delete-missing", "--skip-invalid", "--dry-run")
    assert done.code == 1 and "1 rows don't say of whom they are" in done.err
    folder.write(crowd(20, without=(3,)).replace("id\n", "id,status\n").replace("\n", ",active\n")
                 .replace("id,status,active", "id,status") + "u3,actve\n")
    assert folder.events("--delete-missing", "--skip-invalid") == [], "who is there with a mistake is not missing"


# --- wrong usage, and what it is for ---

def test_wrong_usage(folder, workspace):
    folder.write("id\nu\n")
    done = waymark("directory", "imprt", "x")
    assert done.code == 2 and "did you mean 'import'" in done.err
    for more in (["--format", "xml"], ["--time", "yesterday"], ["--max-deletions", "x"], ["--max-deletions", "1"],
                 ["--source", ""], ["--json", "--output", "-"], ["--against", "nowhere"], ["--org-units", "-"]):
        assert folder.call("--dry-run", "-C", workspace, *more).code == 2, more
    assert waymark("directory", "import", "nowhere.csv", "--full", "--dry-run").code == 2
    assert waymark("directory", "import", folder.path, "--format", "csv", "--full", "--dry-run").code == 2
    folder.registers.write_text("{}\n")
    assert folder.call("--against", folder.registers, "--dry-run").code == 2


def test_servers_that_are_away(folder, workspace):
    folder.write("id\nu\n")
    (workspace / "waymark.yaml").write_text('redis: { address: "/nowhere/redis" }\nkafka: { bootstrap: "127.0.0.1:1" }\n')
    done = folder.call("-C", workspace, "--yes")
    assert done.code == 3 and done.out == ""


@pytest.mark.skipif(not shutil.which("redis-server"), reason="no redis-server")
def test_registers_come_from_redis(folder, workspace, redis):
    folder.take(*folder.write("id,name\nu,U\nv,V\ngone,G\n").events())
    for line in folder.registers.read_text().splitlines():
        known = json.loads(line)
        redis("HSET", f"wm:{{{known['user']}}}:user", "gen", "1", "at", "1", "register", json.dumps(known["register"]))
    redis("HSET", "wm:{x}:user", "gen", "1", "at", "2", "register", "no register")
    (workspace / "waymark.yaml").write_text(f'redis: {{ address: "{redis.socket}" }}\n')
    done = folder.write("id,name\nu,U\nv,W\n").call("-C", workspace, "--dry-run", "--json")
    assert done.code == 0 and done.json[:2] == [{"user": "v", "change": "changed", "fields": ["name"]},
                                                {"user": "gone", "change": "missing"}]
    assert "1 keys in Redis hold no register that can be read" in done.err


def test_the_sample_gives_the_profiles_of_its_events(folder):
    done = waymark("directory", "import", SAMPLE / "directory/people.csv", "--org-units", SAMPLE / "directory/units.csv",
                   "--full", "--output", "-")
    imported = {e["subject"]: e["data"] for e in done.json}
    events = [json.loads(line) for line in (SAMPLE / "events.jsonl").read_text().splitlines()]
    assert imported == {e["subject"]: e["data"] for e in events if e["type"] == "directory.user.updated"}


def test_the_examples_of_the_guide_are_right(folder):
    page = (ROOT / "deploy/guide/directory.md").read_text()
    people, _ = re.findall(r"^```csv\n(.*?)^```$", page, re.M | re.S)
    profile, line = re.findall(r"^```json\n(.*?)^```$", page, re.M | re.S)
    assert folder.profiles(people)["ada"] == json.loads(profile)
    assert json.loads(line)["id"] == "ada"
    assert folder.profiles(line + '{"id":"grace"}\n', name="p.jsonl")["ada"]["managers"] == ["grace"]


def test_a_user_is_an_id(folder):
    assert folder.profiles("user,name\nada,Ada\n") == {"ada": {"status": "active", "name": "Ada"}}
    assert folder.profiles('{"user":"ada","name":"Ada"}\n', name="people.jsonl") == {
        "ada": {"status": "active", "name": "Ada"}}
    assert folder.findings('{"id":"ada","user":"eve"}\n', name="people.jsonl") == [(1, 20, "COLUMN")]
