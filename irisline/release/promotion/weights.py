"""Weights of a published version, for a training to start from. Knows nothing of training or promotion."""

from irisline.core.params import Params
from irisline.release.signatures import signed
from irisline.release.tracking import store, versions


def initial(params: Params) -> str:
    """Give train.init with a version of the registry replaced by the file of its weights.

    Raise NotFound when there is no such version, ReleaseError when the store cannot be used, ModelError when the
    files are not those that were signed.
    """
    scheme, _, number = params.train.init.partition(":")
    if scheme != "registry":
        return params.train.init
    client = store.client()
    with store.one_line_failures():
        name = params.base.name
        version = signed.verified(client, name, versions.get(client, name, int(number)))
        return f"file:{signed.fetch(client, name, version) / 'model.safetensors'}"
