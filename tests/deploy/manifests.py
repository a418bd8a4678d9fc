"""The manifests as a cluster gets them, rendered by kustomize itself, and what several tests ask of them."""

import subprocess
from functools import cache
from ipaddress import ip_address, ip_network
from math import ceil
from pathlib import Path
from typing import Any

import yaml

from tests.clones import BIN
from tests.imports import ROOT

DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
OVERLAYS = sorted(folder.name for folder in (KUBERNETES / "overlays").iterdir())
DEPLOYED = [name for name in OVERLAYS if name != "kserve"]  # as a Deployment of Kubernetes itself

Document = dict[str, Any]


@cache
def rendered(folder: Path) -> list[Document]:
    """Return the objects that `kubectl apply --kustomize` would send."""
    kubectl = BIN / "kubectl"
    done = subprocess.run([kubectl, "kustomize", str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr  # a warning: something is deprecated
    return list(yaml.safe_load_all(done.stdout))


def overlay(name: str) -> list[Document]:
    """Return the objects of an overlay."""
    return rendered(KUBERNETES / "overlays" / name)


def of_kind(documents: list[Document], kind: str) -> Document:
    """Return the one object of a kind."""
    (found,) = [document for document in documents if document["kind"] == kind]
    return found


def pod(documents: list[Document]) -> Document:
    """Return the pod's specification: of the Deployment, or of KServe's predictor, which has the same fields."""
    kinds = {document["kind"]: document for document in documents}
    if "Deployment" in kinds:
        return kinds["Deployment"]["spec"]["template"]["spec"]
    return kinds["InferenceService"]["spec"]["predictor"]


def pod_labels(documents: list[Document]) -> dict[str, str]:
    """Return the labels that the pods bear."""
    kinds = {document["kind"]: document for document in documents}
    if "Deployment" in kinds:
        return kinds["Deployment"]["spec"]["template"]["metadata"]["labels"]
    return {"serving.kserve.io/inferenceservice": kinds["InferenceService"]["metadata"]["name"]}  # KServe's own


def container(documents: list[Document]) -> Document:
    """Return the one container of the pod."""
    (found,) = pod(documents)["containers"]
    return found


def environment(documents: list[Document]) -> dict[str, str]:
    """Return the variables whose values the manifests say."""
    own = container(documents)
    names = [source["configMapRef"]["name"] for source in own.get("envFrom", [])]
    maps = [document["data"] for document in documents if document["metadata"]["name"] in names]
    plain = {entry["name"]: entry["value"] for entry in own.get("env", []) if "value" in entry}
    return {**{name: value for data in maps for name, value in data.items()}, **plain}


def matches(selector: Document, labels: dict[str, str]) -> bool:
    """Return whether a selector that names labels takes an object; the empty one takes all."""
    assert set(selector) <= {"matchLabels"}, selector
    return selector.get("matchLabels", {}).items() <= labels.items()


def resolved(share: int | str, of: int, round_up: bool) -> int:
    """Return a number of pods that is written as such or as a percentage."""
    if isinstance(share, int):
        return share
    exact = int(share.removesuffix("%")) * of / 100
    return ceil(exact) if round_up else int(exact)


def may_leave(policies: list[Document], labels: dict[str, str], address: str, port: int) -> bool:
    """Return whether a pod may send to an address outside the cluster: no policy picks it, or one of them lets it."""
    picking = [
        policy["spec"]
        for policy in policies
        if matches(policy["spec"]["podSelector"], labels) and "Egress" in policy["spec"]["policyTypes"]
    ]
    rules = [rule for policy in picking for rule in policy.get("egress", [])]
    return not picking or any(_lets(rule, address, port) for rule in rules)


def _lets(rule: Document, address: str, port: int) -> bool:
    ports = rule.get("ports")
    if ports is not None and port not in [entry.get("port", port) for entry in ports]:
        return False
    peers = rule.get("to")
    return not peers or any(_holds(peer["ipBlock"], address) for peer in peers if "ipBlock" in peer)


def _holds(block: Document, address: str) -> bool:
    inside = [ip_address(address) in ip_network(network) for network in (block["cidr"], *block.get("except", []))]
    return inside[0] and not any(inside[1:])
