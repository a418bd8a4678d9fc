"""README, Makefile, params and the command line say the same, or this fails."""

import re
import subprocess
from pathlib import Path

import pytest
import typer
import yaml

from irisline.cli.app import app
from irisline.core.params import Params
from tests.imports import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PAGES = sorted((ROOT / "docs").glob("*.md"))
COMMAND = r"(?<!-n )(?<!/)\birisline ([a-z][a-z-]*)\b(?!\.)"  # after -n or / it is a name in a cluster
TARGETS = set(re.findall(r"^([a-z]+):.*## ", MAKEFILE, re.M))


def test_readme_lists_every_verb_of_the_makefile_and_no_other() -> None:
    assert set(re.findall(r"\bmake ([a-z]+)\b", README)) == TARGETS


def test_make_alone_lists_every_verb_in_a_line_each() -> None:
    printed = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    assert {line.split()[1] for line in printed.splitlines()} == TARGETS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_name_only_verbs_commands_and_params_that_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert set(re.findall(r"`make ([a-z]+)`", text)) <= TARGETS
    assert set(re.findall(COMMAND, _code(text))) <= _commands()
    for name in re.findall(r"`([a-z]+\.[a-z_]+)`", text):
        section, key = name.split(".")
        if section in _params():
            assert key in _params()[section], name


def test_readme_names_every_command() -> None:
    assert set(re.findall(r"irisline ([a-z-]+)", _code(README))) >= _commands()


def test_every_command_has_help_and_an_example() -> None:
    for name, command in typer.main.get_group(app).commands.items():
        assert command.help, name
        assert command.epilog.startswith(f"Example: irisline {name}"), name


def test_every_section_of_params_is_known_and_explained() -> None:
    assert set(_params()) == {field.alias or name for name, field in Params.model_fields.items()}


def test_readme_leads_to_every_page_and_every_link_leads_somewhere() -> None:
    assert {f"docs/{page.name}" for page in PAGES} <= set(_links(README))
    for page in (ROOT / "README.md", *PAGES):
        for link in _links(page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_every_python_file_that_a_page_names_is_there(page: Path) -> None:
    ending = {file.relative_to(ROOT).as_posix() for file in ROOT.rglob("*.py") if ".venv" not in file.parts}
    named = set(re.findall(r"`([\w/]+\.py)\b", page.read_text(encoding="utf-8")))
    assert {name for name in named if not any(f"/{file}".endswith(f"/{name}") for file in ending)} == set()


def test_the_annotated_tree_names_what_is_there() -> None:
    named = _tree(README.split("## The tree")[1].split("```")[1])
    made = {"artifacts", "reports"}  # by the stages
    assert [name for name in named if name not in made and not (ROOT / name).exists()] == []
    assert {"pipelines", "irisline", "pretrain", "service", "deploy", "tests", "bench", "docs", *made} <= {*named}
    assert {"Makefile", "dvc.yaml", "params.yaml", "data.dvc"} <= {*named}


def _tree(text: str) -> list[str]:
    """Return the paths that an annotated tree names, those below a folder with it."""
    named, folders = list[str](), list[str]()
    for line in filter(None, text.splitlines()):
        marks, entry = re.fullmatch(r"([│├└─ ]*)(.*)", line).groups()
        names = [word.strip("/") for word in re.split(r" {2,}", entry)[0].split() if re.search(r"[/.]|Makefile", word)]
        folders = [*folders[: len(marks) // 4], names[0]]
        named += ["/".join([*folders[:-1], name]) for name in names]
    return named


def _code(text: str) -> str:
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.S))


def _commands() -> set[str]:
    return set(typer.main.get_group(app).commands)


def _params() -> dict[str, dict[str, object]]:
    return yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))


def _links(text: str) -> list[str]:
    return [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
