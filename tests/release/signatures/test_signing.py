"""A version is what somebody who is trusted has signed: keys are made once, and nothing else is loaded, promoted or served."""

import base64
import json
import os
import random
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from irisline.core.errors import IrislineError, ModelError, ReleaseError
from irisline.core.params import Params
from irisline.inference import identity, signature_check
from irisline.inference.signature_check import MANIFEST, SIGNATURE
from irisline.release.packaging.version_folder import export
from irisline.release.promotion import registry
from irisline.release.publishing import older_version, publishing
from irisline.release.signatures import signed, signing
from irisline.release.tracking import store, versions
from tests.release.conftest import Train
from tests.release.promotion.test_registry import stored_bundle

NAME = "eye-colour"
TAMPERINGS = int(os.environ.get("TAMPERINGS", "30"))  # of a slow test; 1000 were tried
FORGED = '{"passed": true, "checks": []}'


def private(curve: type[ec.EllipticCurve] = ec.SECP256R1, password: str = "") -> str:
    encryption = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    return ec.generate_private_key(curve()).private_bytes(serialization.Encoding.PEM, form, encryption).decode()


@pytest.fixture
def configuration(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of one's own key, empty: another person than the one who published is at work."""
    home = tmp_path_factory.mktemp("other")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    return home / "irisline"


def version(number: int) -> versions.Version:
    return versions.get(store.client(), NAME, number)


def tag(number: int, name: str, value: str) -> None:
    store.client().set_model_version_tag(NAME, str(number), name, value)


def exported(number: int = 1, target: str = "served") -> Path:
    export(store.client(), NAME, version(number), Path(target))
    return Path(target)


def test_the_first_use_makes_a_key_and_trusts_it(train: Train, settings: Params, configuration: Path) -> None:
    train()
    publishing.publish(settings)
    own, (public,) = configuration / "signing_key.pem", Path("keys").iterdir()
    assert stat.S_IMODE(own.stat().st_mode) == 0o600
    assert {path.name for path in configuration.iterdir()} == {"signing_key.pem", "lock"}
    assert b"PRIVATE" not in public.read_bytes()
    before = own.read_bytes()
    assert not publishing.publish(settings).changed
    assert own.read_bytes() == before


def test_many_first_uses_at_once_make_one_key(project: Path, configuration: Path) -> None:
    code = "from irisline.release.signatures import signing; print(signing.ready().public.fingerprint)"
    words = (sys.executable, "-c", code)
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: subprocess.run(words, capture_output=True, text=True, check=True), range(4)))
    fingerprints = {one.stdout.splitlines()[-1] for one in done}
    assert fingerprints == {signing.ready().public.fingerprint}


def test_a_key_that_others_may_read_is_refused(project: Path, configuration: Path) -> None:
    signing.ready()
    (configuration / "signing_key.pem").chmod(0o644)
    with pytest.raises(ReleaseError, match=r"signing_key\.pem: others may read it; type chmod 600 "):
        signing.ready()


@pytest.mark.parametrize("password", ["", "sesame"])
@pytest.mark.parametrize("as_path", [False, True])
def test_the_teams_key_comes_from_the_environment(
    published: Params, configuration: Path, monkeypatch: pytest.MonkeyPatch, password: str, as_path: bool
) -> None:
    key = private(password=password)
    Path("team.txt").write_text(key)
    monkeypatch.setenv("IRISLINE_SIGNING_KEY", "team.txt" if as_path else key)
    monkeypatch.setenv("IRISLINE_SIGNING_KEY_PASSWORD", password)
    shutil.rmtree("keys")
    assert publishing.publish(published).version_signed
    proven = signed.verified(store.client(), NAME, version(2))
    public = serialization.load_pem_private_key(key.encode(), password.encode() or None).public_key()
    assert proven.signed.by.public == public
    assert not configuration.exists()


@pytest.mark.parametrize(
    ("key", "password", "told"),
    [
        ("nowhere.pem", "", r"nowhere\.pem: No such file"),
        ("-----BEGIN NOTHING", "", "holds no private key as PEM"),
        (private(ec.SECP384R1), "", "must be of the curve P-256"),
        (private(password="sesame"), "", "has a password; set IRISLINE_SIGNING_KEY_PASSWORD"),
        (private(password="sesame"), "wrong", "its password is another"),
        (private(), "sesame", "has no password; unset IRISLINE_SIGNING_KEY_PASSWORD"),
    ],
    ids=["absent", "no key", "other curve", "no password", "wrong password", "password too much"],
)
def test_a_team_key_that_cannot_be_used_is_one_line(
    project: Path, monkeypatch: pytest.MonkeyPatch, key: str, password: str, told: str
) -> None:
    monkeypatch.setenv("IRISLINE_SIGNING_KEY", key)
    monkeypatch.setenv("IRISLINE_SIGNING_KEY_PASSWORD", password)
    with pytest.raises(ReleaseError, match=told) as error:
        signing.ready()
    assert "PRIVATE" not in str(error.value)


def test_model_signing_verifies_what_the_store_holds(published: Params) -> None:
    proven = signed.verified(store.client(), NAME, version(1))
    folder = Path(shutil.copytree(signed.fetch(store.client(), NAME, proven), "whole"))
    for name, document in proven.documents.items():
        (folder / name).write_bytes(document)
    (key,) = Path("keys").glob("*.pem")
    words = (
        "model_signing",
        "verify",
        "key",
        str(folder),
        "--signature",
        str(folder / SIGNATURE),
        "--public_key",
        str(key),
    )
    done = subprocess.run((sys.executable, "-m", *words), capture_output=True, text=True, check=False)
    assert "Verification succeeded" in done.stdout + done.stderr
    (folder / "calibration.json").write_bytes(b"{}")
    assert subprocess.run((sys.executable, "-m", *words), capture_output=True, check=False).returncode


def test_a_verdict_in_a_tag_promotes_nothing(train: Train, settings: Params) -> None:
    train(-0.05, error_rate=1.0)
    publishing.publish(settings)
    tag(1, versions.GATE, FORGED)
    with pytest.raises(IrislineError, match="stays out: error_rate: 1 is above"):
        registry.promote(settings, 1)
    assert registry.listing(settings)[0].aliases == ("challenger",)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (versions.GATE, FORGED),
        (versions.METRICS, '{"error_rate": 0.5}'),
        (versions.PRECISION, "int8"),
        (versions.DIGEST, "0" * 64),
        (versions.RUN, "0" * 32),
        ("gate", "refused"),
        ("error_rate", "0.9000"),
        ("irisline.git_commit", "f" * 40),
    ],
)
def test_a_tag_that_disagrees_is_told_in_a_line_and_not_believed(
    published: Params, name: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = exported().joinpath(identity.NAME).read_text()
    tag(1, name, value)
    assert registry.promote(published, 1).changed
    assert f"{NAME} version 1: what was signed counts, and these tags differ: {name}\n" in capsys.readouterr().err
    assert json.loads(exported().joinpath(identity.NAME).read_text()) == json.loads(before) | {
        "alias": "champion",
        "promoted": json.loads(exported().joinpath(identity.NAME).read_text())["promoted"],
    }


def test_an_unsigned_version_is_refused_with_what_to_type(published: Params) -> None:
    store.client().delete_model_version_tag(NAME, "1", signed.TAG)
    for use in (
        lambda: registry.promote(published, 1, "why", force=True),
        lambda: registry.classifier(published, 1),
        exported,
    ):
        with pytest.raises(ModelError, match=rf"^{NAME} version 1: is not signed; type irisline sign 1, or"):
            use()


def test_a_version_signed_by_somebody_who_is_not_trusted_is_refused(published: Params, configuration: Path) -> None:
    shutil.rmtree("keys")
    with pytest.raises(ModelError, match="is signed by none of the 0 trusted keys"):
        registry.promote(published, 1)
    mine = signing.ready().public  # another person's clone, whose folder of keys holds only theirs
    with pytest.raises(ModelError, match="is signed by none of the 1 trusted keys"):
        registry.promote(published, 1)
    assert publishing.publish(published).version_signed
    assert signed.verified(store.client(), NAME, version(2)).signed.by == mine


def test_ones_own_key_joins_somebody_elses(
    published: Params, configuration: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (theirs,) = Path("keys").iterdir()
    mine = signing.ready().public
    assert {key.name for key in signed.trusted()} == {theirs.stem, mine.name}
    assert f"{mine.name}.pem: the public part of the key that signs here, new; commit it" in capsys.readouterr().out
    assert not publishing.publish(published).version_signed  # theirs is as good


def test_what_is_signed_of_one_version_signs_no_other(published: Params) -> None:
    other = signed.verified(store.client(), NAME, version(2))
    signed.attach(store.client(), NAME, version(1), other.documents)
    with pytest.raises(ModelError, match=f"{NAME} version 1: what was signed is {NAME} version 2; publish it anew"):
        registry.promote(published, 1)


def test_a_changed_verdict_is_signed_anew_when_it_is_published(published: Params) -> None:
    verdict = json.loads(Path("reports/evaluate/gate.json").read_text())
    verdict["checks"][0]["limit"] = 0.29
    Path("reports/evaluate/gate.json").write_text(json.dumps(verdict))
    assert publishing.publish(published).version_signed
    assert signed.verified(store.client(), NAME, version(2)).signed.manifest.gate.checks[0].limit == 0.29


def test_publish_signs_what_the_workspace_holds_and_not_what_the_store_does(train: Train, settings: Params) -> None:
    train()
    publishing.publish(settings)
    store.client().delete_model_version_tag(NAME, "1", signed.TAG)
    (stored_bundle(1) / "calibration.json").write_text("{}")
    again = publishing.publish(settings)
    assert again.version_signed
    assert again.restored
    assert (stored_bundle(1) / "calibration.json").read_text() != "{}"
    assert registry.promote(settings, 1).changed


def test_a_version_of_before_is_signed_once_it_is_proven_and_its_verdict_trusted(
    published: Params, capsys: pytest.CaptureFixture[str]
) -> None:
    store.client().delete_model_version_tag(NAME, "1", signed.TAG)
    with pytest.raises(ReleaseError, match="if you trust it, type irisline sign 1 --trust-verdict"):
        older_version.sign(published, 1, trust_verdict=False)
    assert "  passed  error_rate: 0 is within" in capsys.readouterr().out
    assert older_version.sign(published, 1, trust_verdict=True)[1]
    assert registry.promote(published, 1).changed
    assert not older_version.sign(published, 1, trust_verdict=False)[1]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        (versions.GATE, FORGED, "gate.checks: "),
        (versions.GATE, "{", "irisline.gate: Invalid JSON"),
        (versions.METRICS, "null", "metrics: "),
        (versions.DIGEST, "../../../gone", "irisline.digest: "),
    ],
)
def test_a_version_whose_tags_make_no_sense_is_not_signed(published: Params, name: str, value: str, told: str) -> None:
    store.client().delete_model_version_tag(NAME, "1", signed.TAG)
    tag(1, name, value)
    with pytest.raises(ReleaseError, match=told):
        older_version.sign(published, 1, trust_verdict=True)


def test_a_version_of_before_whose_files_have_changed_is_not_signed(train: Train, settings: Params) -> None:
    train()
    publishing.publish(settings)
    store.client().delete_model_version_tag(NAME, "1", signed.TAG)
    (stored_bundle(1) / "calibration.json").write_text("{}")
    with pytest.raises(ReleaseError, match="the stored files are not those that were published"):
        older_version.sign(settings, 1, trust_verdict=True)


def test_a_file_beside_those_of_a_version_is_refused(train: Train, settings: Params) -> None:
    train()
    publishing.publish(settings)
    (stored_bundle(1) / "model.onnx.data").write_bytes(b"weights")
    with pytest.raises(ModelError, match=r"'model\.onnx\.data' was not signed; remove it, or export the version anew$"):
        registry.promote(settings, 1)


FolderChange = Callable[[Path, random.Random], None]


def flip(file: Path, rng: random.Random) -> None:
    """Change one bit of a file."""
    data = bytearray(file.read_bytes())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    file.write_bytes(data)


def any_file(folder: Path, rng: random.Random) -> Path:
    return rng.choice(sorted(path for path in folder.rglob("*") if path.is_file()))


def swap(folder: Path, rng: random.Random) -> None:
    one, other = rng.sample(sorted(folder.glob("golden/*.jpg")), 2)
    one.rename(folder / "kept")
    other.rename(one)
    (folder / "kept").rename(other)


def cut(folder: Path, rng: random.Random) -> None:
    file = any_file(folder, rng)
    file.write_bytes(file.read_bytes()[: rng.randrange(file.stat().st_size)])


def link(folder: Path, rng: random.Random) -> None:
    """Let a file be a link to the very same bytes, or a folder of it."""
    file = rng.choice([any_file(folder, rng), folder / "golden"])
    away = folder.with_name(f"{folder.name}.away")
    shutil.rmtree(away, ignore_errors=True)
    away.mkdir()
    file.rename(away / file.name)
    file.symlink_to(away / file.name)


def remove(folder: Path, rng: random.Random) -> None:
    rng.choice([path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "model.onnx"]).unlink()


def add(folder: Path, rng: random.Random) -> None:
    name = rng.choice(["model.onnx.data", "golden/another.jpg", "golden/more/x", ".git", "model.int8.onnx", "a.pem"])
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(rng.randbytes(9))


def edit(folder: Path, rng: random.Random) -> None:
    """Change a fact of the manifest, or of what the version says of itself."""
    file = folder / rng.choice([MANIFEST, identity.NAME])
    told = json.loads(file.read_text())
    key = rng.choice(
        sorted(told.keys() - {"alias", "registered", "promoted"})
    )  # these the registry tells, and nobody signs
    told[key] = {int: 7, str: "0" * 64, list: ["a", "b"], dict: {}}[type(told[key])]
    if told != json.loads(file.read_text()):
        file.write_text(json.dumps(told))
    else:
        file.write_text("{}")


def resign(folder: Path, rng: random.Random) -> None:
    """Take apart the signature and put it together another way."""
    file = folder / SIGNATURE
    told = json.loads(file.read_text())
    envelope = told["dsseEnvelope"]
    (mark,) = envelope["signatures"]
    statement = json.loads(base64.b64decode(envelope["payload"]))
    stranger = serialization.load_pem_private_key(STRANGER.encode(), None)
    assert isinstance(stranger, ec.EllipticCurvePrivateKey)
    match rng.randrange(8):
        case 0:
            envelope["signatures"] = []
        case 1:
            envelope["signatures"] = [mark, mark]
        case 2:
            envelope["payloadType"] = "text/plain"
        case 3:
            mark["sig"] = ""
        case 4:
            statement["predicate"]["resources"].pop()
        case 5:
            statement["predicate"]["resources"][0]["algorithm"] = "md5"
        case 6:
            statement["predicate"]["resources"][0]["digest"] = "0" * 64
        case 7:
            covered = b"DSSEv1 28 application/vnd.in-toto+json %d %s" % (
                len(base64.b64decode(envelope["payload"])), base64.b64decode(envelope["payload"])
            )  # fmt: skip
            mark["sig"] = base64.b64encode(stranger.sign(covered, ec.ECDSA(hashes.SHA256()))).decode()
            told["verificationMaterial"]["publicKey"]["hint"] = "0" * 64
    if statement != json.loads(base64.b64decode(envelope["payload"])):
        envelope["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()
    file.write_text(json.dumps(told))


def exchange(folder: Path, rng: random.Random) -> None:
    """Let the documents, or the files, be those of the other version; the whole signed version under this number too."""
    other = folder.with_name("other")
    whole = [path.name for path in other.glob("*.*")]
    names = rng.choice([[MANIFEST], [SIGNATURE], [MANIFEST, SIGNATURE], ["model.onnx"], whole])
    for name in names:
        shutil.copyfile(other / name, folder / name)
    if identity.NAME in names:
        told = json.loads((folder / identity.NAME).read_text())
        (folder / identity.NAME).write_text(json.dumps(told | {"version": 1}))


CHANGES: list[FolderChange] = [
    lambda folder, rng: flip(any_file(folder, rng), rng),
    swap, cut, link, remove, add, edit, resign, exchange,
]  # fmt: skip
STRANGER = private()


def test_no_folder_that_was_tampered_with_is_served(published: Params) -> None:
    whole, keys, rng = exported(), signed.trusted(), random.Random(TAMPERINGS)
    exported(2, "other")
    assert signature_check.verify(whole, keys).version == 1
    for turn in range(TAMPERINGS):
        shutil.rmtree("tampered", ignore_errors=True)
        folder = Path(shutil.copytree(whole, "tampered"))
        change = CHANGES[turn % len(CHANGES)]
        before = contents(folder)
        change(folder, rng)
        if signed_of(contents(folder)) == signed_of(before):
            continue
        with pytest.raises(IrislineError):
            pytest.fail(f"{change} {turn}: {signature_check.verify(folder, keys)}")


def signed_of(held: dict[str, bytes | str]) -> dict[str, object]:
    """Return what a folder holds without what the registry tells beside: a bit of these may change, and nobody signs them."""
    try:
        told = json.loads(held[identity.NAME])
        return held | {identity.NAME: {key: told[key] for key in told.keys() - {"alias", "registered", "promoted"}}}
    except (ValueError, KeyError):
        return dict(held)


def contents(folder: Path) -> dict[str, bytes | str]:
    """Return what a folder holds, by name: bytes, or where a link leads."""
    found = {
        path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_symlink() or path.is_file()
    }
    return {name: str(path.readlink()) if path.is_symlink() else path.read_bytes() for name, path in found.items()}


@pytest.mark.slow
def test_no_version_that_was_tampered_with_in_the_store_is_promoted_or_exported(train: Train, settings: Params) -> None:
    for weight in (0.05, 0.06):
        train(weight)
        publishing.publish(settings)
    wanted, rng = signed_of(contents(exported())), random.Random(TAMPERINGS)
    tags, files = version(1).tags, Path(shutil.copytree(store.FILES, "files"))
    for turn in range(TAMPERINGS):
        version_folder = stored_bundle(1).parents[1]
        tampered = tamper(version_folder, turn, rng)
        try:
            export(store.client(), NAME, version(1), Path("tampered"))
            registry.promote(settings, 1)
        except IrislineError:
            assert versions.CHAMPION not in versions.aliases_of(store.client(), NAME)
        else:  # what is not believed changes nothing
            assert signed_of(contents(Path("tampered"))) == wanted, f"{turn}: {tampered}"
        shutil.rmtree("artifacts/scratch/versions", ignore_errors=True)
        for name, value in tags.items():
            tag(1, name, value)
        store.client().delete_registered_model_alias(NAME, versions.CHAMPION)
        shutil.rmtree(version_folder)
        shutil.copytree(files / version_folder.relative_to(store.FILES), version_folder)


def tamper(folder: Path, turn: int, rng: random.Random) -> str:
    """Change something that the store holds of version 1; say what."""
    if turn % 3 == 0:
        file = any_file(folder / "artifacts" / "bundle", rng)
        flip(file, rng)
    elif turn % 3 == 1:
        file = any_file(folder / signed.FOLDER, rng)
        flip(file, rng)
    else:
        name = rng.choice(sorted(version(1).tags))
        value = rng.choice(["{", "", FORGED, "null", "0" * 64, "../..", version(2).tags.get(name, "2")])
        tag(1, name, value)
        return f"{name} {value}"
    return str(file)
