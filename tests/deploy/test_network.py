"""Who may reach the service, and whom it may reach: a picture that takes it over finds nothing beside it."""

from urllib.parse import urlsplit

import pytest

from tests.deploy.manifests import (
    DEPLOYED,
    OVERLAYS,
    Document,
    container,
    environment,
    matches,
    may_leave,
    overlay,
    pod_labels,
)

METADATA = ("169.254.169.254", "169.254.170.2", "fd00:ec2::254", "100.100.100.200")  # of clouds: they give out keys
OUTSIDE = ("1.1.1.1", "10.0.0.1", "192.168.1.1", "2001:db8::1")
NAMES = 53


def policies(name: str) -> list[Document]:
    return [document for document in overlay(name) if document["kind"] == "NetworkPolicy"]


def egress(name: str) -> list[Document]:
    return [rule for policy in policies(name) for rule in policy["spec"].get("egress", [])]


@pytest.mark.parametrize("address", [*METADATA, *OUTSIDE])
@pytest.mark.parametrize("name", OVERLAYS)
def test_it_reaches_no_address_outside_the_cluster(name: str, address: str) -> None:
    for port in (80, 443, NAMES):
        assert not may_leave(policies(name), pod_labels(overlay(name)), address, port)


def test_the_check_itself_sees_what_would_be_let_through() -> None:
    def policy(*rules: Document, picks: str = "irisline") -> list[Document]:
        spec = {"podSelector": {"matchLabels": {"app": picks}}, "policyTypes": ["Egress"], "egress": list(rules)}
        return [{"spec": spec}]

    every = {"ipBlock": {"cidr": "0.0.0.0/0"}}
    but_metadata = {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}}
    for open_ in (policy({}), policy({"to": [every]}), policy({"ports": [{"port": 80}]}), policy(picks="other"), []):
        assert may_leave(open_, {"app": "irisline"}, METADATA[0], 80)
    for closed in (policy(), policy({"to": [but_metadata]}), policy({"to": [every], "ports": [{"port": 443}]})):
        assert not may_leave(closed, {"app": "irisline"}, METADATA[0], 80)
    assert may_leave(policy({"to": [but_metadata]}), {"app": "irisline"}, OUTSIDE[0], 80)


@pytest.mark.parametrize("name", OVERLAYS)
def test_it_may_ask_for_names(name: str) -> None:
    asking = [rule for rule in egress(name) if NAMES in [entry["port"] for entry in rule["ports"]]]
    assert {entry["protocol"] for rule in asking for entry in rule["ports"]} == {"UDP", "TCP"}
    assert all(_named(peer) for rule in asking for peer in rule["to"])


@pytest.mark.parametrize("name", DEPLOYED)
def test_only_its_own_port_can_be_reached(name: str) -> None:
    ingress = [policy["spec"] for policy in policies(name) if "Ingress" in policy["spec"]["policyTypes"]]
    assert all(matches(spec["podSelector"], pod_labels(overlay(name))) for spec in ingress)
    reached = {entry["port"] for spec in ingress for rule in spec["ingress"] for entry in rule["ports"]}
    assert reached == {port["containerPort"] for port in container(overlay(name))["ports"]}


def test_one_that_follows_reaches_the_store_it_is_told_of_and_no_other_does() -> None:
    store = urlsplit(environment(overlay("follow"))["MLFLOW_TRACKING_URI"])
    name, namespace = store.hostname.split(".")[:2]
    (rule,) = [rule for rule in egress("follow") if [entry["port"] for entry in rule["ports"]] == [store.port]]
    (peer,) = rule["to"]
    assert matches(peer["namespaceSelector"], {"kubernetes.io/metadata.name": namespace})
    assert matches(peer["podSelector"], {"app.kubernetes.io/name": name})
    assert environment(overlay("follow"))["IRISLINE_FOLLOW"] == "champion"
    for other in set(OVERLAYS) - {"follow"}:
        assert "MLFLOW_TRACKING_URI" not in environment(overlay(other))
        assert all(NAMES in [entry["port"] for entry in rule["ports"]] for rule in egress(other))


def _named(peer: Document) -> bool:
    return bool(peer["namespaceSelector"]["matchLabels"]) and bool(peer["podSelector"]["matchLabels"])
