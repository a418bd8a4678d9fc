"""What a run and a version say about themselves on their first page: headline, verdict, model card. Markdown, no MLflow."""

import json
from pathlib import Path
from typing import Any

from irisline.core import display_names, paths
from irisline.core.bounded import plain_files
from irisline.core.errors import MissingInput
from irisline.release.publishing import run_contents
from irisline.release.tracking import lineage

CARD = paths.EVALUATE_REPORT / "model_card.md"
LONGEST = 5000  # characters of a description that MLflow's databases hold


def headline() -> str:
    """Return the workspace's result in one sentence, with its interval."""
    metrics = _read(paths.EVALUATE_REPORT / "metrics.json")
    return (
        f"{metrics['error_rate']:.1%} of {metrics['test_images']:.0f} test pictures wrong "
        f"(95 % interval {metrics['error_rate_low']:.1%} to {metrics['error_rate_high']:.1%})"
    )


def of_run(experiment: str, run_id: str) -> str:
    """Return the run's page: headline, gate, links to figures and data docs, licences and providers, and what to type next."""
    gate = _read(paths.EVALUATE_REPORT / "gate.json")
    made = _read(paths.TRAINED / "model.json")
    checks = [f"- {'✓' if check['passed'] else '✗'} {check['line']}" for check in gate["checks"]]
    place = f"#/experiments/{experiment}/runs/{run_id}/artifacts"
    links = [f"- [{file.relative_to(paths.REPORTS)}]({place}/{file.as_posix()})" for file in _worth_a_look()]
    choice = _read(paths.EVALUATE_REPORT / "precision.json")
    lines = [f"### {headline()}", "", f"On the CPU: **{choice['chosen']}**, {choice['reason']}", ""]
    lines += [f"Gate: **{'passed' if gate['passed'] else 'refused'}**", *checks]
    lines += ["", "Look at", *links]
    for what in ("licences", "providers"):
        counted = made.get(f"data_{what}", {})
        lines += [
            "",
            f"{what.capitalize()} of the data",
            *(f"- {display_names.markdown(name)}: {count}" for name, count in counted.items()),
        ]
    return "\n".join([*lines, "", "In a terminal: `irisline versions`, `irisline promote`, `irisline lineage V`."])


def of_version(tags: dict[str, str]) -> str:
    """Return the version's page: headline, source and model card, whole sections of it as long as there is room.

    Raise MissingInput without a card.
    """
    if not CARD.exists():
        raise MissingInput(f"{CARD}: not found; type dvc repro to make it")
    changed = "" if lineage.is_settled(tags) else ", with changes that were not committed"
    source = f"Commit `{tags.get(lineage.COMMIT, 'none')}`{changed}; `dvc.lock` {tags.get(lineage.LOCK, 'none')[:12]}."
    title, *sections = plain_files.read(CARD).decode().split("\n## ")
    told, rest = "\n\n".join((headline(), source, title)), f"\nMore is in `{CARD.as_posix()}` of the run."
    for section in sections:
        if len(told) + len(section) + len(rest) > LONGEST - 4:
            return told + rest
        told += f"\n## {section}"
    return told


def _worth_a_look() -> list[Path]:
    docs = paths.VALIDATE_REPORT / "index.html"
    figures = [file for file in run_contents.reports() if file.suffix == ".png" and file.parent in run_contents.REPORTS]
    return [*(page for page in (CARD, docs) if page.exists()), *figures]


def _read(file: Path) -> Any:
    return json.loads(plain_files.read(file))
