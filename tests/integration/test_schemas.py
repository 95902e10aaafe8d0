"""What the worker really reads and writes is what `schemas/` promises; and the schemas do say no."""
import copy
import json
import pathlib

import jsonschema
import pytest
import yaml

import model
from checker import BIRTH_KEY, settle
from load import RULES, Load

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMES = ("event", "automation", "role", "channel", "settings", "register", "outcome", "failure", "notification", "change")


@pytest.fixture(scope="module")
def schemas():
    return {name: json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text()) for name in NAMES}


@pytest.fixture(scope="module")
def complaints(schemas):
    """complaints(name, value): what the schema of that name holds against a value."""
    store = {schema["$id"]: schema for schema in schemas.values() if "$id" in schema}
    validators = {}
    for name, schema in schemas.items():
        path = ROOT / "schemas" / f"{name}.schema.json"
        resolver = jsonschema.RefResolver(path.as_uri(), schema, store=store)
        validators[name] = jsonschema.validators.validator_for(schema)(schema, resolver=resolver)
    return lambda name, value: [f"{'/'.join(map(str, error.path))}: {error.message}"[:300]
                                for error in validators[name].iter_errors(value)][:3]


@pytest.mark.parametrize("name", NAMES)
def test_each_schema_is_one(name, schemas):
    schema = schemas[name]
    assert schema.get("$schema"), "no $schema"
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.fixture
def life(make_workspace, workers):
    """The records of a workspace that has seen everything."""
    workspace = make_workspace(RULES)
    worker = workers(workspace)
    Load(workspace, seed=11, poison=0.05).send(3000).sender.flush()
    settle(workspace, alive=[worker])
    read = {name: workspace.broker.read(topic) for name, topic in workspace.topic.items()
            if name in ("outcomes", "failures", "notifications", "changes", "users")}
    return workspace, {name: [json.loads(record.value) for record in records if record.key != BIRTH_KEY]
                       for name, records in read.items()}


TOPICS = {"outcomes": "outcome", "failures": "failure", "notifications": "notification", "changes": "change",
          "users": "register"}


def test_real_records_fit_and_changed_ones_do_not(life, complaints):
    _, records = life
    for topic, name in TOPICS.items():
        assert records[topic], topic
        for record in records[topic]:
            assert complaints(name, record) == [], json.dumps(record)[:2000]
    for topic, name in TOPICS.items():
        sample = next(record for record in records[topic] if topic != "users" or record["roles"])
        for member in ("specversion", "id", "type", "data") if topic != "users" else ("v", "user", "roles"):
            less = {key: value for key, value in sample.items() if key != member}
            assert complaints(name, less), f"{name} without {member}"
    bad = copy.deepcopy(records["outcomes"][0])
    bad["data"]["tasks"][0]["result"] = "nonsense"
    assert complaints("outcome", bad)


def test_the_register_in_redis_fits(life, complaints):
    workspace, _ = life
    client = workspace.redis.client()
    keys = list(client.scan_iter(f"{workspace.prefix}:{{*:user"))
    assert keys
    for key in keys:
        assert complaints("register", json.loads(client.hget(key, "register"))) == []


def test_accepted_events_fit(life, complaints):
    workspace, _ = life
    rules = model.Catalogue(workspace.folder)
    fitting = 0
    for record in workspace.broker.read(*workspace.inputs):
        try:
            event = model.decode(record, "events", rules, workspace.partitions)
        except model.Rejected:
            continue
        if event and event.type.startswith("journey.") and record.value[:15] == b'{"specversion":' and \
                "ce_id" not in dict(record.headers):
            assert complaints("event", json.loads(record.value)) == [], record.value
            fitting += 1
    assert fitting > 100


@pytest.mark.parametrize("event", [
    {}, {"specversion": "1.0", "id": "", "source": "/s", "type": "journey.started"},
    {"specversion": "1.0", "id": "1", "source": "/s"}, {"specversion": "0.3", "id": "1", "source": "/s", "type": "t"}, [], 5,
])
def test_events_that_do_not_fit(event, complaints):
    assert complaints("event", event)


def documents(folder):
    for file in sorted(pathlib.Path(folder).rglob("*.yaml")):
        if file.name == "waymark.yaml":
            continue
        for node in yaml.compose_all(file.read_text(), Loader=yaml.SafeLoader):
            if node is not None:
                yield file, model.plain(node)


def kind_of(document):
    return next(kind for kind in ("automation", "role", "channel", "test") if kind in document)


def test_the_rules_of_these_tests_and_the_samples_fit(tmp_path, complaints):
    (tmp_path / "rules.yaml").write_text(RULES)
    for folder in (tmp_path, ROOT / "deploy" / "sample"):
        found = list(documents(folder))
        assert found, folder
        for file, document in found:
            if kind_of(document) != "test":
                assert complaints(kind_of(document), document) == [], file
                assert complaints(kind_of(document), {**document, "surprise": 1}), f"{file}: an unknown key fits"


def test_settings_fit(life, complaints):
    workspace, _ = life
    files = [workspace.folder / "waymark.yaml", *(ROOT / "deploy").rglob("waymark.yaml")]
    for file in files:
        settings = yaml.safe_load(file.read_text())
        assert complaints("settings", settings) == [], file
        assert complaints("settings", {**settings, "surprise": 1})
