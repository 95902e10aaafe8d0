"""Dockerfile, compose file and Kubernetes manifests. No engine runs here: what they say is held against each other, the
settings, the worker's own tables and the rules that matter."""
import copy
import json
import os
import pathlib
import re
import shutil
import subprocess

import jsonschema
import pytest
import yaml
from conftest import ROOT, waymark

DOCKERFILE = ROOT / "deploy" / "docker" / "Dockerfile"
COMPOSE = ROOT / "deploy" / "compose" / "compose.yaml"
KUBERNETES = ROOT / "deploy" / "kubernetes"
SCHEMAS = ROOT / "tests" / "fixtures" / "deploy"
VERSION = re.search(r"project\(waymark VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text()).group(1)


def is_plain_image(name):
    """Where images come from is for whoever runs them to say: no name of a host."""
    return re.fullmatch(r"([a-z0-9-]+/)?[a-z0-9-]+:[a-z0-9.-]+", name) and not name.endswith(":latest")


def check_settings(path):
    """A waymark.yaml that its workers would take; returns what stands in it."""
    settings = yaml.safe_load(path.read_text())
    jsonschema.validate(settings, json.loads((ROOT / "schemas" / "settings.schema.json").read_text()))
    return settings


def lint_settings(path, tmp_path, names):
    shutil.copy(path, tmp_path / "waymark.yaml")
    done = waymark("lint", tmp_path, env={name: "x" for name in names})
    assert (done.code, re.findall(r"\[([A-Z_]+)\]$", done.err, re.M)) == (0, ["NOTHING_TO_DO"]), done.err


# --- Dockerfile ---

def instructions():
    text = re.sub(r"\\\n", " ", re.sub(r"^ *#.*\n", "", DOCKERFILE.read_text(), flags=re.M))
    return [tuple(line.split(None, 1)) for line in text.splitlines() if line.strip()]


def test_the_image_is_two_stages_and_runs_as_nobody():
    rows = instructions()
    bases = [rest for word, rest in rows if word == "FROM"]
    assert len(bases) == 2 and all(is_plain_image(base.split()[0]) for base in bases)
    last = rows[[i for i, row in enumerate(rows) if row[0] == "FROM"][-1]:]
    assert {word for word, _ in rows} <= {"FROM", "RUN", "WORKDIR", "COPY", "USER", "ENV", "EXPOSE", "STOPSIGNAL",
                                          "ENTRYPOINT", "CMD"}
    user = dict(last)["USER"]
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)
    assert [word for word, _ in last].index("USER") > [word for word, _ in last].index("RUN")
    assert json.loads(dict(last)["ENTRYPOINT"]) == ["/usr/bin/waymarkd"] and json.loads(dict(last)["CMD"])
    assert dict(last)["STOPSIGNAL"] == "SIGTERM"
    for word, rest in last:  # nothing of the compiler, no lists of packages
        assert word != "COPY" and "-dev" not in rest
        assert "apt-get" not in rest or "rm -rf /var/lib/apt/lists" in rest


def test_the_image_is_built_with_what_setup_installs():
    setup = re.search(r"^build_packages=\((.*?)^\)", (ROOT / "tools" / "setup").read_text(), re.M | re.S).group(1)
    (wanted,) = [rest for word, rest in instructions() if word == "RUN" and "build-essential" in rest]
    installed = re.search(r"--no-install-recommends(.*?)&&", wanted).group(1).split()
    assert set(installed) == set(setup.split()) - {"redis-server"} | {"file"}  # cpack asks for it


def hadolint(path):
    cache = pathlib.Path(os.environ.get("WAYMARK_CACHE", pathlib.Path.home() / ".cache" / "waymark"))
    version = re.search(r"local version=([\d.]+)", (ROOT / "tools" / "setup").read_text()).group(1)
    return subprocess.run([cache / f"hadolint-{version}" / "hadolint", "--no-color", path], capture_output=True, text=True)


def test_a_linter_finds_nothing_in_the_dockerfile(tmp_path):
    done = hadolint(DOCKERFILE)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
    spoiled = tmp_path / "Dockerfile"
    spoiled.write_text(DOCKERFILE.read_text().replace("bookworm-slim", "latest").replace("ENTRYPOINT [", "ENTRYPOINT "))
    done = hadolint(spoiled)
    assert done.returncode != 0 and {"DL3007", "DL3025"} <= set(re.findall(r"DL\d+", done.stdout)), done.stdout


def test_what_docker_is_given_is_enough_to_build(tmp_path):
    lines = (ROOT / ".dockerignore").read_text().split()
    assert lines[0] == "**"
    source = tmp_path / "source"
    source.mkdir()
    for line in lines[1:]:
        if line.startswith("!"):
            path = ROOT / line[1:]
            (shutil.copytree if path.is_dir() else shutil.copy)(path, source / line[1:])
    done = subprocess.run(["cmake", "-S", source, "-B", tmp_path / "build", "-G", "Ninja"], capture_output=True, text=True,
                          timeout=100)
    assert done.returncode == 0, done.stderr
    done = subprocess.run(["ninja", "-C", tmp_path / "build", "-n", "all"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout  # every file that the build needs is there
    assert (tmp_path / "build" / "CPackConfig.cmake").exists()


# --- compose ---

@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load(COMPOSE.read_text())


def test_the_services_of_compose_know_each_other(compose, tmp_path):
    services = compose["services"]
    settings = check_settings(COMPOSE.with_name("waymark.yaml"))
    lint_settings(COMPOSE.with_name("waymark.yaml"), tmp_path, ["INSTANCE"])
    assert settings["kafka"]["bootstrap"].split(":")[0] in services
    assert settings["redis"]["address"].split(":")[0] in services
    assert settings["kafka"]["bootstrap"] in services["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    for name, service in services.items():
        assert is_plain_image(service["image"]), name
        for other, condition in service.get("depends_on", {}).items():
            if condition["condition"] == "service_healthy":
                assert "healthcheck" in services[other], (name, other)
            else:
                assert condition["condition"] == "service_completed_successfully" and other in services
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in compose["volumes"] or (COMPOSE.parent / source).exists(), (name, source)
        if "build" in service:
            context = (COMPOSE.parent / service["build"]["context"]).resolve()
            assert context == ROOT and context / service["build"]["dockerfile"] == DOCKERFILE
            assert service["image"] == f"waymark:{VERSION}"
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), port


def test_what_waymark_needs_of_the_others_in_compose(compose):
    services = compose["services"]
    command = services["redis"]["command"]
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"
    assert services["kafka"]["environment"]["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
    assert f"kafka:{services['kafka']['environment']['KAFKA_LOG_DIRS']}" in services["kafka"]["volumes"], "else it is in /tmp"
    assert services["kafka"]["environment"]["KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR"] == "1"
    ours = {name: service for name, service in services.items() if "build" in service}
    assert len(ours) == 3
    for name, service in ours.items():
        assert service["read_only"] is True and service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["environment"]["INSTANCE"], name
        assert not service.get("privileged") and "user" not in service


def test_the_commands_of_compose_are_ours(compose):
    calls = [compose["services"]["waymark-topics"]["command"]]
    calls += [line.split("waymark-command ")[1].split() for line in COMPOSE.read_text().splitlines() if "run --rm" in line]
    assert len(calls) == 2
    for words in calls:
        told = waymark(words[0], "--help")
        assert told.code == 0, words
        for word in words[1:]:
            if word.startswith("-"):
                assert re.search(rf"(^|[ ,]){word}\b", told.out), words


def complaints(document, schema):
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message}"[:300] for error in schema.iter_errors(document)]


def test_it_is_a_compose_file(compose):
    schema = jsonschema.Draft7Validator(json.loads((SCHEMAS / "compose.json").read_text()))
    assert complaints(compose, schema) == []
    for service, key, value in (("waymark", "stop_grace_perod", "20s"), ("redis", "image", 7), ("waymark", "depends_on", 7)):
        wrong = copy.deepcopy(compose)
        wrong["services"][service][key] = value
        assert complaints(wrong, schema), key


# --- Kubernetes ---

def manifests():
    """(kind, name) -> document"""
    found = {}
    for path in sorted(KUBERNETES.glob("*.yaml")):
        if path.name == "kustomization.yaml":
            continue
        for document in yaml.safe_load_all(path.read_text()):
            key = document["kind"], document["metadata"]["name"]
            assert document["apiVersion"] and key not in found
            found[key] = document
    return found


SETTINGS = KUBERNETES / "workspace" / "waymark.yaml"
LABELS = {"StatefulSet": "worker", "Job": "topics"}


def pod_of(document):
    return document["spec"]["template"]


def files_of(settings):
    """Files outside the workspace that the settings name; without one of them no program of ours begins."""
    return re.findall(r"password-file: (/\S+)", settings) + re.findall(r"\$\{file:([^}]+)\}", settings)


def stands_in(pod, mounts, path):
    """Whether a secret puts that file there, for our group to read."""
    volumes = {volume["name"]: volume.get("secret") for volume in pod["spec"]["volumes"]}
    return pod["spec"]["securityContext"].get("fsGroup") == 10001 and any(
        volumes.get(name) and path == f"{mount['mountPath']}/{item['path']}" and volumes[name]["defaultMode"] & 0o040
        for name, mount in mounts.items() for item in (volumes.get(name) or {}).get("items", []))


def check_container(pod, container, settings):
    """What is wrong with it, as sentences."""
    security = container.get("securityContext", {})
    whole = pod["spec"].get("securityContext", {})
    rules = {
        "runs as root": whole.get("runAsNonRoot") is True and whole.get("runAsUser", 0) >= 1000,
        "no seccomp": whole.get("seccompProfile") == {"type": "RuntimeDefault"},
        "escalates": security.get("allowPrivilegeEscalation") is False,
        "writes": security.get("readOnlyRootFilesystem") is True,
        "has capabilities": security.get("capabilities") == {"drop": ["ALL"]},
        "has a token": pod["spec"].get("automountServiceAccountToken") is False,
        "image": is_plain_image(container["image"]) and container["image"] == f"waymark:{VERSION}",
        "no requests": {"cpu", "memory"} <= container.get("resources", {}).get("requests", {}).keys(),
        "no limit of memory": "memory" in container.get("resources", {}).get("limits", {}),
        "user is not the image's": f"USER {whole.get('runAsUser')}:{whole.get('runAsGroup')}" in DOCKERFILE.read_text(),
    }
    names = {row["name"] for row in container.get("env", [])}
    rules["a variable is missing"] = set(re.findall(r"\$\{(\w+)\}", settings)) <= names
    mounts = {mount["name"]: mount for mount in container.get("volumeMounts", [])}
    rules["a file is missing"] = all(stands_in(pod, mounts, path) for path in files_of(settings))
    rules["a volume is missing"] = mounts.keys() <= {volume["name"] for volume in pod["spec"]["volumes"]}
    rules["a mount can be written"] = all(mount.get("readOnly") is True for mount in mounts.values())
    return [sentence for sentence, good in rules.items() if not good]


def check_probes(container):
    paths = set(re.findall(r'^    \{"(/[a-z]+)", PLAIN', (ROOT / "worker" / "http.c").read_text(), re.M))
    assert paths == {"/livez", "/readyz", "/startupz"}
    wanted = {"startupProbe": "/startupz", "livenessProbe": "/livez", "readinessProbe": "/readyz"}
    ports = {port["name"] for port in container["ports"]}
    return [name for name, path in wanted.items()
            if container.get(name, {}).get("httpGet", {}).get("path") != path
            or container[name]["httpGet"]["port"] not in ports
            or container[name].get("timeoutSeconds", 1) > container[name]["periodSeconds"]]


def check_references(found):
    """Every name leads to something that is here, made by the kustomization, or a secret that the guide tells of."""
    kustomization = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())
    made = {row["name"] for row in kustomization["configMapGenerator"]}
    guide = (ROOT / "deploy" / "guide" / "deployment.md").read_text()
    wrong = []

    def walk(value):
        if isinstance(value, dict):
            for key, one in value.items():
                if key == "configMap" and one["name"] not in made:
                    wrong.append(one)
                secret = (one.get("secretName") if key == "secret" else one["name"] if key == "secretKeyRef" else None)
                if secret and f"secret generic {secret} " not in guide:
                    wrong.append(secret)
                if key == "secretTargetRef":
                    wrong.extend(row for row in one if f"secret generic {row['name']} " not in guide)
                walk(one)
        elif isinstance(value, list):
            for one in value:
                walk(one)

    walk(list(found.values()))
    pods = [(kind, pod_of(document)["metadata"]["labels"]) for (kind, _), document in found.items() if kind in LABELS]

    def selects(selector, kinds):
        return {kind for kind, labels in pods if selector.items() <= labels.items()} == kinds

    worker = found["StatefulSet", "waymark"]["spec"]
    for name, good in {
        "headless service": found["Service", worker["serviceName"]]["spec"]["clusterIP"] == "None",
        "selector of the service": selects(found["Service", "waymark"]["spec"]["selector"], {"StatefulSet"}),
        "selector of the set": selects(worker["selector"]["matchLabels"], {"StatefulSet"}),
        "selector of the budget": selects(
            found["PodDisruptionBudget", "waymark"]["spec"]["selector"]["matchLabels"], {"StatefulSet"}),
        "selector of the network": selects(
            found["NetworkPolicy", "waymark"]["spec"]["podSelector"]["matchLabels"], {"StatefulSet", "Job"}),
        "target of scaling": found["ScaledObject", "waymark"]["spec"]["scaleTargetRef"] == {
            "apiVersion": "apps/v1", "kind": "StatefulSet", "name": "waymark"},
        "authentication of scaling": all(
            ("TriggerAuthentication", trigger["authenticationRef"]["name"]) in found
            for trigger in found["ScaledObject", "waymark"]["spec"]["triggers"]),
    }.items():
        if not good:
            wrong.append(name)
    return wrong


@pytest.fixture(scope="module")
def found():
    return manifests()


def test_the_manifests_are_all_there(found):
    kustomization = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())
    named = set(re.findall(r"^  (?:# )?- ([a-z]+\.yaml)", (KUBERNETES / "kustomization.yaml").read_text(), re.M))
    assert named == {path.name for path in KUBERNETES.glob("*.yaml")} - {"kustomization.yaml"}
    for path in kustomization["configMapGenerator"][0]["files"]:
        assert (KUBERNETES / path).exists()
    assert {kind for kind, _ in found} == {"Service", "StatefulSet", "PodDisruptionBudget", "NetworkPolicy", "Job",
                                           "ScaledObject", "TriggerAuthentication"}


def schema_of(document):
    """Of its kind in its version; KEDA's kinds are none of Kubernetes'."""
    definitions = json.loads((SCHEMAS / "kubernetes-1.34.json").read_text())["definitions"]
    group, _, version = document["apiVersion"].rpartition("/")
    name = f"io.k8s.api.{group.split('.')[0] or 'core'}.{version}.{document['kind']}"
    return jsonschema.Draft7Validator({"$ref": f"#/definitions/{name}", "definitions": definitions})


def test_the_manifests_are_what_kubernetes_takes(found):
    own = {key: document for key, document in found.items() if not document["apiVersion"].startswith("keda.sh/")}
    assert len(own) == 5
    for document in own.values():
        assert complaints(document, schema_of(document)) == []
    for path, value in ((("spec", "podManagementPolicies"), "Parallel"), (("spec", "replicas"), "two"),
                        (("spec", "template", "spec", "containers", 0, "livenessProb"), {}),
                        (("spec", "template", "spec", "topologySpreadConstraints", 0, "maxSkew"), "1"),
                        (("spec", "template", "spec", "containers", 0, "ports"), {"http": 9464})):
        wrong = copy.deepcopy(found["StatefulSet", "waymark"])
        place = wrong
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = value
        assert complaints(wrong, schema_of(wrong)), path


def test_the_settings_of_the_pods_are_right(found, tmp_path):
    settings = check_settings(SETTINGS)
    secret = next(volume for volume in pod_of(found["StatefulSet", "waymark"])["spec"]["volumes"] if "secret" in volume)
    (container,) = pod_of(found["StatefulSet", "waymark"])["spec"]["containers"]
    mount = next(mount for mount in container["volumeMounts"] if mount["name"] == secret["name"])
    path = pathlib.PurePath(settings["redis"]["password-file"])
    assert str(path.parent) == mount["mountPath"]
    assert path.name in {item["path"] for item in secret["secret"]["items"]}
    assert secret["secret"]["defaultMode"] == 0o440
    assert settings["http"]["listen"] == f"0.0.0.0:{container['ports'][0]['containerPort']}"
    assert settings["instance"] == "${INSTANCE}"
    assert container["env"][0] == {"name": "INSTANCE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    done = waymark("lint", SETTINGS.parent, env={"INSTANCE": "waymark-0", "KAFKA_USERNAME": "x", "KAFKA_PASSWORD": "x"})
    assert done.code == 0 and re.findall(r"\[([A-Z_]+)\]$", done.err, re.M) == ["NOTHING_TO_DO"], done.err


def test_the_containers_may_do_little_and_say_what_they_need(found):
    settings = SETTINGS.read_text()
    for kind in LABELS:
        (document,) = [document for (one, _), document in found.items() if one == kind]
        (container,) = pod_of(document)["spec"]["containers"]
        assert files_of(settings) and check_container(pod_of(document), container, settings) == []
        alone = copy.deepcopy(container)
        alone["volumeMounts"] = [mount for mount in alone["volumeMounts"] if mount["name"] != "secrets"]
        assert check_container(pod_of(document), alone, settings) == ["a file is missing"]
        for path, value, sentence in ((("securityContext", "readOnlyRootFilesystem"), False, "writes"),
                                      (("resources", "limits"), {}, "no limit of memory"),
                                      (("env",), [], "a variable is missing"),
                                      (("image",), "waymark:latest", "image")):
            weaker = copy.deepcopy(container)
            place = weaker
            for name in path[:-1]:
                place = place[name]
            place[path[-1]] = value
            assert check_container(pod_of(document), weaker, settings) == [sentence]


def test_each_container_is_who_the_guide_gives_the_rights_to(found):
    guide = (ROOT / "deploy" / "guide" / "deployment.md").read_text()
    secret = re.search(r"secret generic waymark (.*)", guide).group(1)
    for kind, operation in (("StatefulSet", "Read --operation DescribeConfigs --topic journey.milestones"), ("Job", "Create")):
        (document,) = [document for (one, _), document in found.items() if one == kind]
        env = {row["name"]: row for row in pod_of(document)["spec"]["containers"][0]["env"]}
        assert f"--allow-principal User:{env['KAFKA_USERNAME']['value']} --operation {operation}" in guide
        assert f"={env['KAFKA_PASSWORD']['valueFrom']['secretKeyRef']['key']}=" in secret
    assert yaml.safe_load(SETTINGS.read_text())["kafka"]["properties"]["sasl.username"] == "${KAFKA_USERNAME}"


def test_the_probes_are_what_the_worker_serves(found):
    (container,) = pod_of(found["StatefulSet", "waymark"])["spec"]["containers"]
    assert check_probes(container) == []
    wrong = copy.deepcopy(container)
    wrong["livenessProbe"]["httpGet"]["path"] = "/readyz"  # would kill workers when Redis is away
    assert check_probes(wrong) == ["livenessProbe"]
    unit = (ROOT / "deploy" / "systemd" / "waymarkd.service").read_text()
    startup = container["startupProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] >= int(re.search(r"TimeoutStartSec=(\d+)", unit).group(1))
    assert pod_of(found["StatefulSet", "waymark"])["spec"]["terminationGracePeriodSeconds"] >= int(
        re.search(r"TimeoutStopSec=(\d+)", unit).group(1))
    assert found["PodDisruptionBudget", "waymark"]["spec"]["maxUnavailable"] == 1


def test_every_name_leads_somewhere(found):
    assert check_references(found) == []
    wrong = copy.deepcopy(found)
    wrong["StatefulSet", "waymark"]["spec"]["template"]["spec"]["volumes"][0]["configMap"]["name"] = "another"
    wrong["PodDisruptionBudget", "waymark"]["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"] = "another"
    assert check_references(wrong) == [{"name": "another"}, "selector of the budget"]


def test_scaling_is_not_deceived_by_transactions(found):
    settings = yaml.safe_load(SETTINGS.read_text())
    spec = found["ScaledObject", "waymark"]["spec"]
    partitions = settings["kafka"]["partitions"]
    assert 1 <= spec["minReplicaCount"] <= spec["maxReplicaCount"] == partitions
    known = {"journey.milestones", "waymark.directory"}
    assert {trigger["metadata"]["topic"] for trigger in spec["triggers"]} == known
    for trigger in spec["triggers"]:
        metadata = trigger["metadata"]
        assert trigger["type"] == "kafka" and all(isinstance(value, str) for value in metadata.values())
        assert metadata["excludePersistentLag"] == "true" and metadata["allowIdleConsumers"] == "false"
        assert int(metadata["lagThreshold"]) > 100 * partitions  # a marker each is no work
        assert metadata["bootstrapServers"] == settings["kafka"]["bootstrap"]
        assert metadata["consumerGroup"] == settings["kafka"]["group"]
        assert metadata["sasl"] == settings["kafka"]["properties"]["sasl.mechanism"].lower().replace("-", "_").replace(
            "sha_", "sha")


@pytest.mark.skipif(not shutil.which("kubectl"), reason="no kubectl")
def test_kustomize_puts_it_together():
    done = subprocess.run(["kubectl", "kustomize", KUBERNETES], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "KUBECONFIG": "/dev/null"})
    assert done.returncode == 0, done.stderr
    kinds = [document["kind"] for document in yaml.safe_load_all(done.stdout)]
    assert sorted(kinds) == ["ConfigMap", "Job", "NetworkPolicy", "PodDisruptionBudget", "Service", "StatefulSet"]
