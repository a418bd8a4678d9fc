"""A version packed as a Bento: what is in it, that it proves itself and answers, and that packing it twice changes nothing."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from irisline.core import paths
from irisline.core.errors import NotFound, ReleaseError
from irisline.core.params import Params
from irisline.inference import signature_check, trusted_keys
from irisline.release.packaging import bento
from irisline.release.packaging.bento import Built, Kind
from irisline.release.promotion import registry
from irisline.release.signatures import signed
from irisline.release.tracking import store
from tests.imports import ROOT, files_of

CODE = ("irisline", "service")
FINDER = "irisline/eyes/finder/weights.npz"


@pytest.fixture(scope="session")
def project_with_code(two_versions: Path, settings: Params, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project with two versions, the first live, the code that serves them, and a BentoML store, made once."""
    home = tmp_path_factory.mktemp("packable")
    shutil.copytree(two_versions, home, dirs_exist_ok=True, ignore=shutil.ignore_patterns(store.FILES))
    for name in CODE:
        (home / name).symlink_to(ROOT / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        registry.promote(settings, 1)
    return home


@pytest.fixture
def packable(project_with_code: Path, tmp_path: Path, settings: Params, monkeypatch: pytest.MonkeyPatch) -> Params:
    """Return the params of a copy of that project, the working directory meanwhile; all copies share one BentoML store."""
    shutil.copytree(project_with_code, tmp_path, dirs_exist_ok=True, symlinks=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BENTOML_HOME", str(project_with_code.with_name("bentoml")))
    monkeypatch.setattr(paths, "CODE", tmp_path)
    return settings


@pytest.fixture
def packed(packable: Params) -> Built:
    return bento.build(packable)


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_the_tag_and_labels_say_which_version_it_is(packed: Built, packable: Params) -> None:
    version = registry.find(packable)
    assert packed.tag == f"eye-colour:v1-{version.digest[:12]}"
    labels = yaml.safe_load((packed.folder / "bento.yaml").read_text())["labels"]
    assert (labels["version"], labels["digest"], labels["run_id"]) == ("1", version.digest, version.run_id)
    assert labels["git_commit"] == version.tags["irisline.git_commit"]


@pytest.mark.slow
def test_a_label_of_the_image_holds_any_name_as_it_is() -> None:
    assert bento._in_dockerfile('café "$HOME" a\\b') == r'"café \"\$HOME\" a\\b"'


def test_the_model_proves_itself_and_a_process_that_knows_only_the_bento_answers(packed: Built) -> None:
    source = packed.folder / "src"
    found = signature_check.verify(source / "model", trusted_keys.trusted(source / "keys"))
    assert found == packed.identity
    code = (
        "from pathlib import Path; import service.service; from irisline.inference import classifier;"
        "(answer,) = classifier.Classifier.load(Path('model')).predict([Path('model/golden/0001.jpg').read_bytes()]);"
        "print(classifier.__file__, answer.label)"
    )
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-B", "-c", code], cwd=source, env=clean, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(source / "irisline/inference/classifier.py"), "blue"]


@pytest.mark.slow
def test_it_holds_what_serving_imports_and_nothing_else(packed: Built) -> None:
    code = {name for name in names(packed.folder / "src") if name.endswith(".py")}
    started = ("service/service.py", "service/__main__.py", "service/health.py", "irisline/inference/prover.py")
    assert code == {file.relative_to(ROOT).as_posix() for name in started for file in files_of(ROOT / name)}
    assert not {name for name in code if name.startswith(("irisline/release", "irisline/cli", "pipelines"))}
    page = {f"service/page/{name}" for name in names(ROOT / "service" / "page")}
    rest = names(packed.folder / "src") - code - page - {"bentofile.yaml", FINDER}
    public = {f"keys/{file.name}" for file in signed.keys_folder().iterdir()}
    assert public <= rest
    assert all(name.startswith("model/") for name in rest - public)
    assert "model/model.safetensors" not in rest


@pytest.mark.slow
def test_no_file_names_a_place_of_this_machine_or_an_index(packed: Built) -> None:
    texts = [
        packed.folder / name
        for name in names(packed.folder)
        if not name.startswith(("src/model/", "src/service/page/", f"src/{FINDER}"))
    ]
    place = re.compile(
        rf"index-url|find-links|pypi|file://|{re.escape(str(ROOT))}|{re.escape(str(Path.cwd()))}|/tmp/irisline"
    )
    assert not [file for file in texts if place.search(file.read_text(encoding="utf-8"))]


@pytest.mark.slow
def test_the_same_version_again_is_the_same_bento_until_its_code_changes(packed: Built, packable: Params) -> None:
    again = bento.build(packable, 1)
    assert (again.tag, again.changed) == (packed.tag, False)
    Path("service").unlink()
    shutil.copytree(ROOT / "service", "service", ignore=shutil.ignore_patterns("__pycache__"))
    with Path("service/health.py").open("a") as file:
        file.write("# changed\n")
    changed = bento.build(packable, 1)
    assert (changed.tag, changed.changed) == (packed.tag, True)
    assert (changed.folder / "src/service/health.py").read_text().endswith("# changed\n")


@pytest.mark.slow
def test_a_bento_whose_build_was_cut_off_is_built_anew(packed: Built, packable: Params) -> None:
    (packed.folder / bento.DOCKERFILE).write_text("FROM somewhere\n")
    again = bento.build(packable)
    assert again.changed
    assert "service.health" in (again.folder / bento.DOCKERFILE).read_text()


@pytest.mark.slow
def test_a_gpu_gets_torch_and_its_weights_and_nvidia_is_told(packable: Params) -> None:
    built = bento.build(packable, 2, Kind(gpu=True))
    assert built.tag.endswith("-gpu")
    assert {"model/model.safetensors", "irisline/inference/torch_runtime.py"} <= names(built.folder / "src")
    pinned = (built.folder / bento.REQUIREMENTS).read_text().split()
    assert {"torch==2.13.0", "torchvision==0.28.0"} <= set(pinned)
    dockerfile = (built.folder / bento.DOCKERFILE).read_text()
    assert "ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility\n" in dockerfile


@pytest.mark.slow
def test_one_that_follows_carries_the_watcher_and_mlflows_client(packable: Params) -> None:
    built = bento.build(packable, 2, Kind(follow=True))
    assert built.tag.endswith("-follow")
    assert "irisline/release/serving/watch.py" in names(built.folder / "src")
    assert "mlflow-skinny==3.17.2" in (built.folder / bento.REQUIREMENTS).read_text().split()


@pytest.mark.slow
def test_a_service_that_cannot_be_imported_is_one_line(packable: Params) -> None:
    Path("service").unlink()
    shutil.copytree(ROOT / "service", "service", ignore=shutil.ignore_patterns("__pycache__"))
    with Path("service/service.py").open("a") as file:
        file.write("import absent\n")
    with pytest.raises(ReleaseError, match=r"^bentoml build \. --version v1-\w{12}: .*No module named 'absent'"):
        bento.build(packable)


def test_without_a_version_there_is_nothing_to_pack(packable: Params) -> None:
    with pytest.raises(NotFound, match=r"^eye-colour has no version 9; "):
        bento.build(packable, 9)
