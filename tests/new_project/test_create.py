"""A project is made whole: params that are read, a pool that is pinned, the platform noted; its own two commands work."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from irisline.core import params, paths
from irisline.core.errors import IrislineError, MissingInput
from irisline.new_project import choices, create, layout, platform
from irisline.new_project.choices import Choice
from tests import planted
from tests.imports import ROOT

TEMPLATE = create.TEMPLATE


def pictures(folder: Path, counts: dict[str, int]) -> Path:
    """Return a folder with pictures of classes in blue, brown and green."""
    for (name, count), colour in zip(counts.items(), planted.COLOURS, strict=False):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            (folder / name / f"{number}.jpg").write_bytes(planted.saved(planted.picture(colour, (name, number))))
    return folder


def made(folder: Path, source: Path) -> Path:
    found = layout.read(source)
    create.project(folder, found, choices.of(found, choices.short_sides(found.pictures), "Two Colours!"))
    return folder


def test_the_template_has_the_keys_of_the_repository_in_their_order() -> None:
    shipped, template = (yaml.safe_load((each / "params.yaml").read_text()) for each in (ROOT, TEMPLATE))
    assert [(section, list(shipped[section])) for section in shipped] == [
        (section, list(template[section])) for section in template
    ]


def test_the_template_has_the_stages_of_the_repository() -> None:
    shipped, template = (yaml.safe_load(file.read_text()) for file in (ROOT / "dvc.yaml", TEMPLATE / "stages.yaml"))
    assert shipped["plots"] == template["plots"]
    assert list(shipped["stages"]) == list(template["stages"])
    code = ("irisline/", "pipelines/", "pretrain/")
    for name, stage in shipped["stages"].items():
        other = template["stages"][name]
        assert other["cmd"] == stage["cmd"]
        assert other["deps"] == [dep for dep in stage["deps"] if not dep.startswith(code)]
        assert other["params"] == [{str(platform.FILE): [f"code.{name}"]}, *stage.get("params", [])]
        for kind in ("outs", "metrics"):
            assert names(other.get(kind, [])) == names(stage.get(kind, []))


def names(outs: list[str | dict[str, object]]) -> list[str]:
    return [out if isinstance(out, str) else next(iter(out)) for out in outs]


def test_a_project_has_all_that_its_commands_need(tmp_path: Path) -> None:
    source = pictures(tmp_path / "mine", {"light blue": 6, "No": 12})
    folder = made(tmp_path / "project", source)
    given = params.read(folder / "params.yaml")
    assert (given.base.name, given.base.classes) == ("two-colours", ["No", "light blue"])
    assert given.validate_.min_per_class == 4
    assert given.snapshot.queries == {"No": ["No"], "light blue": ["light blue"]}
    assert sorted(path.name for path in (folder / "data/light blue").iterdir()) == [
        f"{number}.jpg" for number in range(6)
    ]
    assert yaml.safe_load((folder / "data.dvc").read_text())["outs"][0]["nfiles"] == 18
    assert not platform.note(folder)
    assert subprocess.run(["git", "check-ignore", "-q", "data"], cwd=folder, check=False).returncode == 0
    with pytest.raises(IrislineError, match="is there already; name a new or an empty folder"):
        made(folder, source)


def test_a_project_that_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    found = layout.read(pictures(tmp_path / "mine", {"a": 3, "b": 3}))
    (tmp_path / "mine/a/1.jpg").unlink()
    with pytest.raises(IrislineError):
        create.project(tmp_path / "project", found, {})
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_the_eyes_of_the_repository_are_a_template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create.bundled(tmp_path / "eyes")
    assert (tmp_path / "eyes/params.yaml").read_bytes() == (ROOT / "params.yaml").read_bytes()
    assert yaml.safe_load((tmp_path / "eyes/data.dvc").read_text())["outs"][0]["md5"] == yaml.safe_load(
        (ROOT / "data.dvc").read_text()
    )["outs"][0]["md5"]  # fmt: skip
    monkeypatch.setattr(paths, "CODE", tmp_path)
    with pytest.raises(MissingInput, match=r"data/: not here; make data in a clone of the repository fetches"):
        create.bundled(tmp_path / "other")


def test_what_is_chosen_says_why_and_keeps_the_comments() -> None:
    text = "base:\n  name: x     # the model's name\n  classes: []  # folders\ntrain:\n  name: y\n"
    chosen = {"base.name": Choice("lions", "yours"), "base.classes": Choice("\n    - a\n    - b", "")}
    assert choices.applied(text, chosen) == (
        "base:\n  # yours:\n  name: lions                 # the model's name\n"
        "  classes:                    # folders\n    - a\n    - b\ntrain:\n  name: y\n"
    )
    with pytest.raises(KeyError, match=r"no such params: base\.size"):
        choices.applied(text, {"base.size": Choice("1", "")})


def test_small_pictures_get_a_small_network_input(tmp_path: Path) -> None:
    found = layout.read(pictures(tmp_path, {"a": 3, "b": 3}))
    chosen = choices.of(found, choices.short_sides(found.pictures), "x", mirror=False)
    assert chosen["preprocess.size"].value == str(choices.SMALL)
    assert chosen["augment.mirror"].value == "false"


@pytest.mark.slow
def test_two_commands_go_from_folders_to_a_promoted_version(tmp_path: Path) -> None:
    source = pictures(tmp_path / "mine", {"light blue": 30, "No": 30, "0": 30})
    folder = tmp_path / "project"
    typed(tmp_path, sys.executable, "-m", "irisline.cli.app", "new", str(folder), "--from", str(source))
    text = (folder / "params.yaml").read_text()
    assert "epochs: auto " in text
    (folder / "params.yaml").write_text(text.replace("epochs: auto ", "epochs: 4 "))
    said = typed(folder, "make", "repro")
    assert "version 1 is the champion now, the first" in said
    again = typed(folder, "make", "repro")
    assert "Nothing has changed since the last run." in again
    (folder / "platform.yaml").unlink()
    assert "notes the platform" in typed(folder, sys.executable, "-m", "irisline.cli.app", "upgrade")


def typed(folder: Path, *words: str) -> str:
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stdout + done.stderr
    return done.stdout + done.stderr
