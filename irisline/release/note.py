"""What a run says about itself on its first page: the headline, the verdict and where to look. Markdown, no MLflow."""

import json
from pathlib import Path
from typing import Any

from irisline import paths


def headline() -> str:
    """Give the workspace's result in one sentence, with its interval."""
    metrics = _read(paths.EVALUATE_REPORT / "metrics.json")
    return (
        f"{metrics['error_rate']:.1%} of {metrics['test_images']:.0f} test pictures wrong "
        f"(95 % interval {metrics['error_rate_low']:.1%} to {metrics['error_rate_high']:.1%})"
    )


def of_run(experiment: str, run_id: str) -> str:
    """Give the run's page: headline, gate, links to figures and data docs, licences and providers, and what to type next."""
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
        lines += ["", f"{what.capitalize()} of the data", *(f"- {name}: {count}" for name, count in counted.items())]
    return "\n".join([*lines, "", "In a terminal: `irisline versions`, `irisline promote`, `irisline lineage V`."])


def _worth_a_look() -> list[Path]:
    docs = paths.VALIDATE_REPORT / "index.html"
    figures = sorted(file for file in paths.REPORTS.glob("*/*.png") if file.parent != paths.SNAPSHOT_REPORT)
    return [*([docs] if docs.exists() else []), *figures]


def _read(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))
