"""What a cluster makes of the manifests: valid in old and new ones, never fewer pods than wanted, no right too many."""

import inspect
import os
import re
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from irisline.cli.serving import serve
from irisline.release.packaging.bento import Kind
from service.settings import PREFIX, Settings
from tests.deploy.manifests import (
    DEPLOYED,
    KUBERNETES,
    OVERLAYS,
    Document,
    container,
    environment,
    matches,
    of_kind,
    overlay,
    pod,
    pod_labels,
    rendered,
    resolved,
)
from tests.imports import ROOT

OLDEST = "1.30"  # the first that ends a pod's preStop by a sleep of its own
NEWEST = kubernetes_validate.latest_version()
FOREIGN = {"InferenceService", "ServiceMonitor"}  # their schemas come with operators
PORT = inspect.signature(serve).parameters["port"].default
SETTINGS = {PREFIX + name.upper() for name in Settings.model_fields}
UNITS = {"": 1, "m": 1 / 1000, "Mi": 2**20, "Gi": 2**30}

every_overlay = pytest.mark.parametrize("name", OVERLAYS)
every_deployment = pytest.mark.parametrize("name", DEPLOYED)


def amount(quantity: str | int) -> float:
    """Return the number that a quantity of Kubernetes means."""
    number, unit = re.fullmatch(r"([\d.]+)([a-zA-Z]*)", str(quantity)).groups()
    return float(number) * UNITS[unit]


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@every_overlay
def test_every_object_is_valid(name: str, version: str) -> None:
    checked = [document for document in overlay(name) if document["kind"] not in FOREIGN]
    for document in checked:
        kubernetes_validate.validate(document, version, strict=True)
    assert len(checked) >= 2


def test_every_file_is_part_of_a_kustomization_and_every_part_is_there() -> None:
    used = set()
    for file in KUBERNETES.rglob("kustomization.yaml"):
        document = yaml.safe_load(file.read_text())
        patches = [patch["path"] for patch in document.get("patches", [])]
        for part in [*document.get("resources", []), *document.get("components", []), *patches]:
            target = (file.parent / part).resolve()
            assert target.exists(), f"{file}: {part}"
            used.add(target / "kustomization.yaml" if target.is_dir() else target)
    starts = {KUBERNETES / "overlays" / name / "kustomization.yaml" for name in OVERLAYS}
    optional = {KUBERNETES / "components" / "monitoring" / "kustomization.yaml"}
    assert set(KUBERNETES.rglob("*.yaml")) == used | starts | optional


@every_deployment
def test_a_rolling_update_never_has_fewer_pods_than_wanted(name: str) -> None:
    deployment, scaler = of_kind(overlay(name), "Deployment")["spec"], of_kind(overlay(name), "HorizontalPodAutoscaler")
    rolling = deployment["strategy"]["rollingUpdate"]
    for wanted in range(scaler["spec"]["minReplicas"], scaler["spec"]["maxReplicas"] + 1):
        assert wanted - resolved(rolling["maxUnavailable"], wanted, round_up=False) == wanted
        assert resolved(rolling["maxSurge"], wanted, round_up=True) >= 1
    assert deployment["strategy"]["type"] == "RollingUpdate"
    assert "replicas" not in deployment  # an apply would set the autoscaler's number back to it
    assert deployment["minReadySeconds"] > 0
    assert deployment["revisionHistoryLimit"] >= 2


@every_deployment
def test_a_drained_node_leaves_a_pod_that_answers(name: str) -> None:
    budget = of_kind(overlay(name), "PodDisruptionBudget")["spec"]
    least = of_kind(overlay(name), "HorizontalPodAutoscaler")["spec"]["minReplicas"]
    assert matches(budget["selector"], pod_labels(overlay(name)))
    assert least - resolved(budget["maxUnavailable"], least, round_up=True) >= 1
    assert {one["topologyKey"] for one in pod(overlay(name))["topologySpreadConstraints"]} >= {"kubernetes.io/hostname"}


@every_deployment
def test_selectors_labels_names_and_ports_agree(name: str) -> None:
    documents = overlay(name)
    deployment, service = of_kind(documents, "Deployment"), of_kind(documents, "Service")
    labels, (port,) = pod_labels(documents), container(documents)["ports"]
    assert matches(deployment["spec"]["selector"], labels)
    assert service["spec"]["selector"].items() <= labels.items()
    assert [entry["targetPort"] for entry in service["spec"]["ports"]] == [port["name"]]
    assert port["containerPort"] == PORT
    target = of_kind(documents, "HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", deployment["metadata"]["name"])
    for spread in pod(documents)["topologySpreadConstraints"]:
        assert matches(spread["labelSelector"], labels)


@every_overlay
def test_all_lies_in_one_namespace(name: str) -> None:
    names = {document["metadata"].get("namespace") for document in overlay(name) if document["kind"] != "Namespace"}
    assert names == {of_kind(overlay(name), "Namespace")["metadata"]["name"]}


@every_overlay
def test_the_container_can_do_nothing_but_serve(name: str) -> None:
    whole, own = pod(overlay(name)), container(overlay(name))
    allowed = {**whole.get("securityContext", {}), **own["securityContext"]}
    assert allowed["runAsNonRoot"] is True
    assert allowed["runAsUser"] == allowed["runAsGroup"] == _user_of_the_image()
    assert allowed["readOnlyRootFilesystem"] is True
    assert allowed["allowPrivilegeEscalation"] is False
    assert allowed["capabilities"] == {"drop": ["ALL"]}
    assert allowed["seccompProfile"] == {"type": "RuntimeDefault"}
    assert whole["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(whole)
    assert all(set(volume) == {"name", "emptyDir"} and volume["emptyDir"]["sizeLimit"] for volume in whole["volumes"])
    assert [mount["mountPath"] for mount in own["volumeMounts"]] == ["/tmp"]


def _user_of_the_image() -> int:
    text = (ROOT / "irisline" / "release" / "packaging" / "image" / "Dockerfile").read_text()
    return int(re.search(r"^USER (\d+):\d+$", text, re.M)[1])


@every_overlay
def test_images_are_pinned_to_a_version_of_the_right_kind(name: str) -> None:
    tag = container(overlay(name))["image"].rpartition(":")[2]
    kind = Kind(
        gpu=environment(overlay(name))["IRISLINE_DEVICE"] == "cuda",
        follow="IRISLINE_FOLLOW" in environment(overlay(name)),
    )
    assert re.fullmatch(rf"v\d+-[0-9a-f]{{12}}{kind.suffix}", tag), tag


@every_overlay
def test_it_gets_requests_when_ready_and_is_started_anew_when_stuck(name: str) -> None:
    own = container(overlay(name))
    port = own["ports"][0]
    for probe, path in (("readinessProbe", "/readyz"), ("livenessProbe", "/livez")):
        assert own[probe]["httpGet"]["path"] == path
        assert own[probe]["httpGet"]["port"] in (port["name"], port["containerPort"])
    assert own["livenessProbe"]["failureThreshold"] * own["livenessProbe"]["periodSeconds"] >= 30


@every_deployment
def test_a_start_may_take_as_long_as_the_store_may_be_waited_for(name: str) -> None:
    from service.following import PATIENCE

    probe = container(overlay(name))["startupProbe"]
    assert probe["httpGet"]["path"] == "/readyz"
    assert probe["failureThreshold"] * probe["periodSeconds"] >= 3 * PATIENCE


@every_deployment
def test_a_pod_that_ends_finishes_what_is_in_flight(name: str) -> None:
    given = Settings.read(environment(overlay(name)))
    longest = 2 * given.timeout + given.head_timeout + 5
    pause = container(overlay(name))["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pause >= 3
    assert pod(overlay(name))["terminationGracePeriodSeconds"] >= pause + longest


@every_overlay
def test_clients_behind_one_proxy_share_no_limit(name: str) -> None:
    assert Settings.read(environment(overlay(name))).max_connections_per_address == 0


@every_overlay
def test_every_setting_is_one_that_the_service_reads(name: str) -> None:
    given = {**environment(overlay(name)), **dict.fromkeys(_secret_names(container(overlay(name))), "a,b")}
    assert {variable for variable in given if variable.startswith(PREFIX)} <= SETTINGS
    assert Settings.read(given).device == ("cuda" if name == "gpu" else "cpu")


@every_overlay
def test_keys_come_from_a_secret_and_no_secret_is_written_here(name: str) -> None:
    assert _secret_names(container(overlay(name))) == ["IRISLINE_API_KEYS"]
    assert "Secret" not in {document["kind"] for document in overlay(name)}
    assert "IRISLINE_API_KEYS" not in environment(overlay(name))


def _secret_names(own: Document) -> list[str]:
    return [entry["name"] for entry in own["env"] if "secretKeyRef" in entry.get("valueFrom", {})]


@every_overlay
def test_the_clusters_own_variables_are_not_taken_for_settings(name: str) -> None:
    assert pod(overlay(name))["enableServiceLinks"] is False  # IRISLINE_PORT=tcp://… and its like


@every_overlay
def test_what_it_may_use_is_bounded(name: str) -> None:
    resources = container(overlay(name))["resources"]
    for kind in ("cpu", "memory"):
        assert 0 < amount(resources["requests"][kind]) <= amount(resources["limits"][kind])


@every_deployment
def test_a_changed_setting_rolls_out_like_an_image(name: str) -> None:
    documents = overlay(name)
    (source,) = container(documents)["envFrom"]
    assert re.fullmatch(r"irisline-[a-z0-9]{10}", source["configMapRef"]["name"])
    assert source["configMapRef"]["name"] == of_kind(documents, "ConfigMap")["metadata"]["name"]


def test_the_gpu_overlay_asks_for_a_device_and_goes_where_one_is() -> None:
    assert container(overlay("gpu"))["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"} in pod(overlay("gpu"))["tolerations"]
    for name in set(OVERLAYS) - {"gpu"}:
        assert "nvidia.com/gpu" not in container(overlay(name))["resources"]["limits"]


def test_prometheus_finds_the_service(tmp_path: Path) -> None:
    parts = {
        kind: [os.path.relpath(KUBERNETES / folder, tmp_path)]
        for kind, folder in (("resources", "overlays/cpu"), ("components", "components/monitoring"))
    }
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(parts))
    documents = rendered(tmp_path)
    monitor, service = of_kind(documents, "ServiceMonitor"), of_kind(documents, "Service")
    assert matches(monitor["spec"]["selector"], service["metadata"]["labels"])
    assert monitor["metadata"]["namespace"] == service["metadata"]["namespace"]
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint["port"] in [port["name"] for port in service["spec"]["ports"]]
    assert endpoint["path"] == "/metrics"
