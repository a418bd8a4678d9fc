"""What the packages say of their licences, what docs/licences.md says of them, and that none of the GPL's family is served."""

import json
import re
import shutil
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from irisline.release.packaging import sbom
from irisline.release.packaging.bento import Kind
from tests.imports import ROOT
from tests.locked import pins

PAGE = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
GPL = re.compile(r"GPL|GNU", re.IGNORECASE)  # LGPL and AGPL too
LIMITED = re.compile(
    r"AGPL|Affero|SSPL|Server Side Public|BUSL|Business Source|BSL-1\.1|Elastic License|Commons Clause|PolyForm|NonCommercial",
    re.IGNORECASE,
)  # BSL-1.0 is Boost's
OPTIONAL = {"ray", "msgpack", "ddgs", "primp"}
# What torch brings, but for its CPU wheel.
CUDA = {name for name in pins() if re.match(r"nvidia-(?!ml-py)|cuda-|triton$", name)}
LOCKED = pins().keys() - CUDA
KINDS = [Kind(gpu, follow) for gpu in (False, True) for follow in (False, True)]
FREE = {  # libraries in packages that are served, under MIT, BSD, Apache, MPL, zlib, libpng, OpenSSL or NVIDIA's licences
    *("libXau", "libaom", "libavif", "libbrotlicommon", "libbrotlidec", "libcrypto", "libcudart", "libdav1d", "libdrm"),
    *("libfreetype", "libharfbuzz", "libjpeg", "liblcms2", "liblzma", "libnvjpeg", "libonnxruntime", "libopenblasp"),
    *("libonnxruntime_providers_shared", "libopenjp2", "libpng16", "libscipy_openblas64_", "libsharpyuv", "libsodium"),
    *("libssl", "libtiff", "libvpx", "libwebp", "libwebpdemux", "libwebpmux", "libxcb", "libz", "libzmq", "libzstd"),
    *("libaoti_custom_ops", "libbackend_with_compiler", "libc10", "libjitbackend_test", "libshm", "libtorch"),
    *("libtorch_cpu", "libtorch_global_deps", "libtorch_python", "libtorchbind_test"),
}


def said(package: metadata.Distribution) -> str:
    """Return what a package's metadata says of its licence, without texts of a whole licence."""
    fields: Any = package.metadata  # a message, whose get() its protocol leaves out
    classifiers = [
        line for line in fields.get_all("Classifier") or () if line.startswith("License :: OSI Approved :: ")
    ]
    words = [fields.get("License-Expression"), (fields.get("License") or "").replace("UNKNOWN", "")[:200], *classifiers]
    return "; ".join(filter(None, words))


def texts(package: metadata.Distribution) -> list[str]:
    """Return the texts of a package's licence files."""
    files = [file for file in package.files or () if ".dist-info" in str(file) and "LICENSE" in file.name.upper()]
    return [Path(str(file.locate())).read_text(encoding="utf-8", errors="replace") for file in files]


INSTALLED: dict[str, metadata.Distribution] = {canonicalize_name(each.name): each for each in metadata.distributions()}


@pytest.fixture(autouse=True)
def root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def of_the_family(names: set[str]) -> set[str]:
    return {name for name in names & INSTALLED.keys() if GPL.search(said(INSTALLED[name]))}


def test_the_page_names_every_package_of_the_gpl_s_family_with_its_licence() -> None:
    table = dict(re.findall(r"^\| `([a-z0-9-]+)` \| ([^|]+?) \| [^|]*(?:scmrepo|DVC)", PAGE, re.M))
    assert table.keys() == of_the_family(LOCKED)
    for name, licence in table.items():
        first = said(INSTALLED[name]).partition(";")[0]
        assert re.split(r"[ ,|]+", licence.replace(" or ", " "))[0] == re.split(r"[ ,|]+", first)[0], name


def test_no_package_is_under_a_licence_that_limits_services() -> None:
    for name in LOCKED & INSTALLED.keys():
        beginnings = [text[:200] for text in texts(INSTALLED[name])]
        assert not LIMITED.search(" ".join([said(INSTALLED[name]), *beginnings])), name


def test_who_says_nothing_has_a_text_that_allows_everything() -> None:
    silent = [name for name in LOCKED & INSTALLED.keys() if not said(INSTALLED[name])]
    for name in silent:
        assert any("Permission is hereby granted, free of charge" in text for text in texts(INSTALLED[name])), name


def test_every_locked_package_was_looked_at() -> None:
    assert LOCKED - INSTALLED.keys() <= OPTIONAL
    assert all(f"`{name}`" in PAGE for name in OPTIONAL | CUDA)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"image{kind.suffix}")
def test_no_package_of_the_gpl_s_family_travels_in_an_image(kind: Kind) -> None:
    served = {line.partition("==")[0] for line in kind.requirements}
    assert len(served) > 50
    assert of_the_family(served) == set()
    assert {"pygit2", "grandalf"} <= of_the_family(LOCKED)


def test_the_page_names_every_library_of_the_family_inside_a_package_that_is_served() -> None:
    served = {line.partition("==")[0] for kind in KINDS for line in kind.requirements}
    served &= LOCKED & INSTALLED.keys()
    files = [(name, file.name) for name in served for file in INSTALLED[name].files or () if ".so" in file.name]
    libraries = {(name, re.split(r"[-.]", file)[0]) for name, file in files if file.startswith("lib")}
    assert {library for _, library in libraries} <= FREE | sbom.COPYLEFT.keys(), "look up its licence, and list it"
    rows = [line for line in PAGE.splitlines() if line.startswith("| `lib")]
    for name, library in libraries:
        if library in sbom.COPYLEFT:
            (row,) = [row for row in rows if f"`{library}`" in row]
            assert sbom.COPYLEFT[library] in row
            assert f"`{name}`" in row


def licences(document: dict[str, Any]) -> dict[str, str]:
    return {part["name"]: json.dumps(part.get("licenses") or "") for part in document["components"]}


@pytest.mark.slow
def test_the_bill_of_materials_of_what_is_installed_tells_their_licences() -> None:
    told = licences(json.loads(sbom.of_environment()))
    for name in of_the_family(LOCKED):
        assert GPL.search(told[name]), name
    assert "LGPL-2.1" in told["libavcodec"]


@pytest.mark.slow
def test_the_bill_of_materials_of_an_image_has_licences_and_none_of_a_package_of_the_family(tmp_path: Path) -> None:
    for line in Kind().requirements:
        described = Path(INSTALLED[line.partition("==")[0]]._path)  # type: ignore[attr-defined]
        shutil.copytree(described, tmp_path / "packages" / described.name)
    document = sbom._python(tmp_path / "packages", tmp_path / "environment")
    packages = [part for part in document["components"] if str(part.get("purl", "")).startswith("pkg:pypi/")]
    assert len(packages) > 50
    assert [part["name"] for part in packages if GPL.search(json.dumps(part.get("licenses") or ""))] == []
    assert [
        part["name"]
        for part in packages
        if not part.get("licenses") and said(INSTALLED[canonicalize_name(part["name"])])
    ] == []
    assert {"libavcodec", "libgfortran", "libquadmath"} <= licences(document).keys()
