"""The service on this machine: a version's folder, the addresses it needs, and BentoML in place of this process.

Knows nothing of what the service does.
"""

import os
import sys

from irisline.core import console, paths
from irisline.core.params import Params
from irisline.release.packaging import version_folder
from irisline.release.promotion import registry
from irisline.release.signatures import signed
from irisline.release.tracking import mlflow_ui, store
from irisline.release.tracking.versions import CHAMPION

SERVICE = "service.service:Irisline"
FOLDERS = paths.SCRATCH / "serving"  # a folder for each port: services run side by side


def serve(params: Params, number: int | None, host: str, port: int) -> None:
    """Become the service of a version, or of the champion and every champion after it when no number is given.

    Raise NotFound or ReleaseError when there is no such version, or the port is taken.
    """
    mlflow_ui.check_free(host, port, f"irisline serve --port {port + 1}")
    version = registry.find(params, number)
    client = store.client()
    with store.one_line_failures():
        version = signed.verified(client, params.base.name, version, console.fail)
        folder = paths.writable(FOLDERS) / str(port)
        version_folder.export(client, params.base.name, version, folder, gpu=True)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(paths.CODE), os.environ.get("PYTHONPATH"))))
    os.environ["IRISLINE_MODEL"] = str(folder.absolute())
    os.environ[signed.TRUSTED] = str(signed.keys_folder().absolute())
    os.environ["IRISLINE_FOLLOW"] = CHAMPION if number is None else ""
    os.environ["MLFLOW_TRACKING_URI"] = store.address()
    follows = "; follows the champion" if number is None else ""
    console.say(
        f"{params.base.name} version {version.number} answers at http://{host}:{port}{follows}  (Ctrl-C ends it)"
    )
    words = ("serve", SERVICE, "--host", host, "--port", str(port))
    os.execv(sys.executable, (sys.executable, "-m", "bentoml", *words))  # noqa: S606
