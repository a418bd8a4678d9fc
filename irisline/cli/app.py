"""The command `irisline`: what a person can type, and the one edge where failures become a line and an exit code.

Exit codes: 0 done, 1 an expected failure, 2 a usage error, 130 interrupted.
"""

import os
import sys

import typer

from irisline.cli import (
    collecting,
    creating,
    fitting,
    labelling,
    packaging,
    predicting,
    project,
    releasing,
    serving,
    taking_down,
)
from irisline.core import console, paths
from irisline.core.errors import IrislineError

app = typer.Typer(
    name="irisline",
    help="From pictures named by class to a served classifier whose every version can be explained, rebuilt, rolled back.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_COMMANDS = (
    ("new", creating.new, "irisline new flowers --from ~/pictures/flowers"),
    ("upgrade", creating.upgrade, "irisline upgrade"),
    ("snapshot", collecting.snapshot, "irisline snapshot --dry-run"),
    ("fit-limits", fitting.fit_limits, "irisline fit-limits --dry-run"),
    ("predict", predicting.predict, "irisline predict data/*/*.jpg --json"),
    ("publish", releasing.publish, "irisline publish --promote"),
    ("sign", releasing.sign, "irisline sign 3 --trust-verdict"),
    ("versions", releasing.versions, "irisline versions"),
    ("promote", releasing.promote, 'irisline promote 3 --force --reason "the old one fails on dark pictures"'),
    ("rollback", releasing.rollback, 'irisline rollback --to 2 --reason "complaints since noon"'),
    ("history", releasing.history, "irisline history --json"),
    ("live-at", releasing.live_at, "irisline live-at 2026-03-01T14:30"),
    ("lineage", releasing.lineage, "irisline lineage 3"),
    ("serve", serving.serve, "irisline serve --port 3001"),
    ("verify-served", serving.verify_served, "irisline verify-served http://127.0.0.1:3000"),
    ("bento", packaging.bento, "irisline bento --version 3"),
    ("container", packaging.container, "irisline container --version 3"),
    ("summary", project.summary, "irisline summary --since $(date +%s)"),
    ("ui", project.ui, "irisline ui --port 5001"),
    ("pool", project.pool, "irisline pool --count 200 --out pool"),
    ("take-down", taking_down.take_down, 'irisline take-down cat/flickr-123.jpg --reason "the person asked"'),
    ("doctor", project.doctor, "irisline doctor"),
)

for _name, _function, _example in _COMMANDS:
    app.command(_name, epilog=f"Example: {_example}")(_function)
app.add_typer(labelling.app, name="labels", epilog="Example: irisline labels set cat/cat-0042.jpg dog")


def main() -> None:
    """Run the command line; exit with one line and 1 for an expected failure."""
    from irisline.core.stage import QUIET, collect_garbage_seldom

    collect_garbage_seldom()
    os.environ.update(QUIET)
    try:
        with paths.disk_errors():
            app()
    except IrislineError as error:
        console.fail(f"irisline: {error}", error.details)
        sys.exit(1)


if __name__ == "__main__":
    main()
