"""The InferenceService: no package carries its schema, so that its fields are held against Kubernetes' and KServe's."""

import kubernetes_validate

from tests.deploy.manifests import Document, container, environment, of_kind, overlay, pod

# What KServe adds to the specification of a pod, of a predictor's many fields those that may be used here.
OWN = {
    "canaryTrafficPercent",
    "containerConcurrency",
    "maxReplicas",
    "minReplicas",
    "scaleMetric",
    "scaleTarget",
    "timeout",
}
# What Knative refuses in a pod's specification, and in a container's.
REFUSED = {"hostNetwork", "hostPID", "hostIPC", "restartPolicy", "terminationGracePeriodSeconds", "securityContext"}
REFUSED_INSIDE = {"lifecycle", "stdin", "tty", "volumeDevices"}


def service() -> Document:
    return of_kind(overlay("kserve"), "InferenceService")


def test_its_predictor_is_a_pod_and_what_kserve_adds() -> None:
    assert service()["apiVersion"] == "serving.kserve.io/v1beta1"
    assert set(service()["spec"]) == {"predictor"}
    inside = {name: value for name, value in pod(overlay("kserve")).items() if name not in OWN}
    document = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "irisline"}, "spec": inside}
    kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)


def test_it_asks_for_nothing_that_knative_refuses() -> None:
    own = container(overlay("kserve"))
    assert service()["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] == "Knative"
    assert not REFUSED & set(pod(overlay("kserve")))
    assert not REFUSED_INSIDE & set(own)
    assert own["name"] == "kserve-container"  # by this name KServe knows it
    assert [port["name"] for port in own["ports"]] == ["http1"]


def test_a_new_image_gets_a_share_of_the_requests_first() -> None:
    predictor = pod(overlay("kserve"))
    assert 0 < predictor["canaryTrafficPercent"] <= 50
    assert 2 <= predictor["minReplicas"] <= predictor["maxReplicas"]


def test_knative_waits_longer_than_the_service_does() -> None:
    assert pod(overlay("kserve"))["timeout"] > 2 * float(environment(overlay("kserve"))["IRISLINE_TIMEOUT"])
