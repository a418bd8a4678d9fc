"""Weights of a published version, for a training to start from, which starts this: params in, {"init"} or {"failed"} out.

Knows nothing of training or promotion.
"""

import json
import sys

from irisline.core.errors import IrislineError
from irisline.core.params import Params, parse
from irisline.release.signatures import signed
from irisline.release.tracking import store, versions


def initial(params: Params) -> str:
    """Return train.init with a version of the registry replaced by the file of its weights.

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


def main() -> None:
    """Answer on standard output what is asked on standard input, a JSON document each."""
    try:
        told = {"init": initial(parse(json.load(sys.stdin)))}
    except IrislineError as error:
        told = {"failed": str(error)}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
