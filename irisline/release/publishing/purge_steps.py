"""What is left to do once a picture is out of the pool: versions made from it, and places that still hold its bytes.

Gives the commands and does none of them: each takes something away for good.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from irisline.core import paths
from irisline.release.publishing.trained_on import Use
from irisline.release.tracking import store, versions

if TYPE_CHECKING:
    from mlflow import MlflowClient

_KEPT_HERE = (
    *(paths.SCRATCH / name for name in ("serving", "versions", "replay", "snapshot")),
    *(
        paths.SNAPSHOT_REPORT,
        paths.FIT_LIMITS_REPORT,
        paths.PREDICT_REPORT,
    ),  # what predict draws shows training pictures too
)


@dataclass(frozen=True)
class Step:
    """A command to type, and what it is for."""

    command: str
    why: str


def steps(model: str, uses: Sequence[Use]) -> list[Step]:
    """Return what to type after a removal, in order: first another model, then the bytes out of DVC, git and MLflow."""
    live = next((use.version.number for use in uses if versions.CHAMPION in use.version.aliases), None)
    replaced = f"; version {live} is live and may hold it, until another is promoted" if live else ""
    return [
        Step("make repro", f"train without it, and promote what passes the gate{replaced}"),
        Step("git commit --all --message 'A picture taken down'", "let others have the pool without it"),
        Step("dvc push data.dvc", "the same, where the pool is shared"),
        Step(
            "dvc gc --workspace --cloud",
            "its bytes out of DVC, with all that only older commits need: they go for good",
        ),
        Step(f"rm -rf {' '.join(map(str, _KEPT_HERE))}", "its bytes out of what commands keep between runs"),
        *_purging(model, uses),
    ]


def _purging(model: str, uses: Iterable[Use]) -> Iterator[Step]:
    """Yield the commands that delete versions; those that are live are to be replaced first."""
    client = store.client()
    with store.one_line_failures():
        for use in uses:
            if not use.unknown:
                yield from _of_version(client, model, use)


def _of_version(client: "MlflowClient", model: str, use: Use) -> Iterator[Step]:
    number = str(use.version.number)
    source = str(client.get_model_version(model, number).source).rpartition("/")[2]
    where = "is among its golden pictures" if use.golden else "may be seen in its figures and thumbnails"
    delete = f"c.delete_model_version('{model}', '{number}'); c.delete_logged_model('{source}')"
    yield Step(
        f'python -c "from mlflow import MlflowClient; c = MlflowClient(); {delete}"',
        f"version {number} out of the registry, once it is not live: the picture {where}",
    )
    yield Step(f"mlflow runs delete --run-id {use.version.run_id}", f"the run of version {number} with it")
    yield Step(f"mlflow gc {_stores()} --run-ids {use.version.run_id}", "and their files")


def _stores() -> str:
    """Return the store as mlflow gc wants it; a server's database is known to that server only."""
    database = "DATABASE_OF_THE_SERVER" if store.is_remote() else store.shown_address()
    return f"--backend-store-uri {database} --tracking-uri {store.shown_address()}"
