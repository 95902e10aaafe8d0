"""schemas/asyncapi.json: made from the settings and the schemas, valid AsyncAPI 3, and nothing forgotten."""
import copy
import json
import re
import subprocess

import jsonschema
import pytest
from conftest import ROOT

DOCUMENT = ROOT / "schemas" / "asyncapi.json"


def official():
    """The schema of AsyncAPI; a property that is called $id is taken out, which this jsonschema takes for an id."""
    def clean(value):
        if isinstance(value, dict):
            return {key: clean(one) for key, one in value.items() if key != "$id" or isinstance(one, str)}
        return [clean(one) for one in value] if isinstance(value, list) else value
    return jsonschema.Draft7Validator(clean(json.loads((ROOT / "tests/fixtures/asyncapi/3.0.0.json").read_text())))


@pytest.fixture(scope="module")
def document():
    return json.loads(DOCUMENT.read_text())


def references(value):
    if isinstance(value, dict):
        for key, one in value.items():
            if key == "$ref":
                yield one
            else:
                yield from references(one)
    elif isinstance(value, list):
        for one in value:
            yield from references(one)


def resolve(document, reference):
    path, _, pointer = reference.partition("#")
    value = json.loads((DOCUMENT.parent / path).read_text()) if path else document
    for name in pointer.split("/")[1:]:
        value = value[name.replace("~1", "/").replace("~0", "~")]
    return value


def payloads(document, channel):
    return [resolve(document, message["payload"].get("$ref") or message["payload"]["allOf"][0]["$ref"])["$id"]
            for message in document["channels"][channel]["messages"].values()]


def test_it_is_what_the_script_makes():
    done = subprocess.run([ROOT / "tools" / "asyncapi"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == DOCUMENT.read_text(), "run: tools/asyncapi > schemas/asyncapi.json"


def test_it_is_asyncapi(document):
    validator = official()
    assert [f"{list(error.absolute_path)}: {error.message}"[:300] for error in validator.iter_errors(document)] == []
    wrong = copy.deepcopy(document)
    wrong["operations"]["receive-events"]["action"] = "read"
    assert list(validator.iter_errors(wrong))
    wrong = copy.deepcopy(document)
    wrong["channels"]["users"]["bindings"]["kafka"]["partitions"] = "eight"
    assert list(validator.iter_errors(wrong))


def test_every_reference_leads_somewhere(document):
    found = list(references(document))
    assert len(found) > 40
    for reference in found:
        assert resolve(document, reference)


def test_every_topic_of_the_settings_is_there(document):
    text = (ROOT / "worker" / "settings.def").read_text()
    names = [row.strip("[]") for row in re.findall(r'^SETTING\("topics\.[a-z]+", "[a-z]+", "([^"]+)"', text, re.M)]
    inputs = names[:4]
    assert len(names) >= 10
    addresses = [channel["address"] for channel in document["channels"].values()]
    assert sorted(addresses) == sorted([*names, *(f"{name}.dlq" for name in inputs)])
    for channel in document["channels"].values():
        assert channel["messages"] and channel["bindings"]["kafka"]["topic"] == channel["address"]


def test_every_schema_of_a_record_is_used(document):
    used = {path for path in references(document) if not path.startswith("#")}
    wanted = {f"./{path.name}" for path in (ROOT / "schemas").glob("*.schema.json")
              if re.search(r"the value of a record in|input topics take it", json.loads(path.read_text())["description"])}
    assert used == wanted and len(used) >= 7


def test_every_type_that_a_schema_names_is_a_message(document):
    messages = {name for channel in document["channels"].values() for name in channel["messages"]}
    for path in (ROOT / "schemas").glob("*.schema.json"):
        if f"./{path.name}" in references(document):
            for kind in re.findall(r'"((?:directory|role|dev\.waymark)\.[a-z.-]+[a-z](?:\.v1)?)"', path.read_text()):
                if kind.count(".") > 1:
                    assert kind in messages, (path, kind)


def test_directions_are_those_of_the_worker(document):
    actions = {}
    for operation in document["operations"].values():
        actions.setdefault(operation["channel"]["$ref"].rsplit("/", 1)[1], set()).add(operation["action"])
    assert actions.keys() == document["channels"].keys()
    assert {name for name, found in actions.items() if "receive" in found} == {
        "events", "directory", "requests", "replay", "control"}
    assert {name for name, found in actions.items() if "send" in found} == (
        document["channels"].keys() - {"events", "directory", "replay", "control"})


def test_compacted_topics_say_so(document):
    compacted = {name for name, channel in document["channels"].items()
                 if channel["bindings"]["kafka"]["topicConfiguration"]["cleanup.policy"] == ["compact"]}
    assert compacted == {"users", "control"}
    assert document["channels"]["control"]["bindings"]["kafka"]["partitions"] == 1
    assert payloads(document, "users") == ["waymark:register"]
