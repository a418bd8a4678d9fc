"""The key that signs versions here, and what it signs: a version's files and their manifest, by model-signing (OpenSSF).

The key is the team's, from the environment, or one's own, made on first use below the user's configuration. Its public
part goes into the project's folder of trusted keys. Nothing is asked of a network. Knows nothing of stores.
"""

import os
import re
import secrets
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from irisline.core import console, locks, paths
from irisline.core.errors import ReleaseError
from irisline.inference import signature_check, trusted_keys
from irisline.inference.identity import Manifest
from irisline.inference.signature_check import MANIFEST, SIGNATURE
from irisline.inference.trusted_keys import Key
from irisline.release.signatures import signed
from irisline.release.tracking import store

GIVEN = "IRISLINE_SIGNING_KEY"  # the team's: its PEM, or the path of a file that holds it
PASSWORD = "IRISLINE_SIGNING_KEY_PASSWORD"  # noqa: S105
FILE = "signing_key.pem"


@dataclass(frozen=True)
class SigningKey:
    """A private key: where it came from, and its text, which is never shown."""

    where: str
    private: ec.EllipticCurvePrivateKey

    @property
    def public(self) -> Key:
        """The public part, by the name its file is to have."""
        named = re.sub(r"[^A-Za-z0-9_-]+", "-", store.user()).strip("-")[:60] or "key"
        key = Key(named, self.private.public_key())
        return Key(f"{named}-{key.fingerprint[:8]}", key.public)


def own_file() -> Path:
    """Return where one's own key lies: below $XDG_CONFIG_HOME, else ~/.config."""
    home = os.environ.get("XDG_CONFIG_HOME", "")
    try:
        return (Path(home) if Path(home).is_absolute() else Path.home() / ".config") / "irisline" / FILE
    except RuntimeError as error:  # a user without a home
        raise ReleaseError(f"this user has no home for a key that signs; set {GIVEN} or XDG_CONFIG_HOME") from error


def known() -> SigningKey | None:
    """Return the key that signs here, None before the first use; raise ReleaseError when it cannot be used."""
    given = os.environ.get(GIVEN, "")
    if given.lstrip().startswith("-----BEGIN"):
        return SigningKey(GIVEN, _private(given.encode(), GIVEN, os.environ.get(PASSWORD, "")))
    if given:
        where = f"{GIVEN}: {given}"
        return SigningKey(where, _private(_text(Path(given)), where, os.environ.get(PASSWORD, "")))
    if not (file := own_file()).exists():
        return None
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise ReleaseError(f"{file}: others may read it; type chmod 600 {file}, or remove it if they did")
    return SigningKey(str(file), _private(_text(file), str(file)))


def ready() -> SigningKey:
    """Return the key that signs here, made on first use; its public part is among the trusted keys then."""
    key = known() or _make()
    _trust(key.public)
    return key


def sign(manifest: Manifest, files: dict[str, Path]) -> dict[str, bytes]:
    """Return the manifest and the signature of a version, by the names of their files."""
    from model_signing import signing as model_signing

    key = ready()
    with tempfile.TemporaryDirectory(prefix="irisline-") as scratch:
        folder = Path(scratch, f"{manifest.name}-v{manifest.version}")
        for name, file in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, folder / name)
        (folder / MANIFEST).write_text(manifest.as_json(), encoding="utf-8")
        private, password = Path(scratch, "key.pem"), secrets.token_bytes(32)  # on no disk in clear
        private.write_bytes(_text_of(key.private, serialization.BestAvailableEncryption(password)))
        # Its annotations are those of another version of cryptography: the password goes there as it is, in bytes.
        made: Any = model_signing.Config
        signer = made().use_elliptic_key_signer(private_key=private, password=password)
        signer.sign(folder, Path(scratch, SIGNATURE))
        documents = {MANIFEST: (folder / MANIFEST).read_bytes(), SIGNATURE: Path(scratch, SIGNATURE).read_bytes()}
    signature_check.opened(documents[MANIFEST], documents[SIGNATURE], [key.public], manifest.name, manifest.version)
    return documents


def _make() -> SigningKey:
    """Return one's own key, made unless another command was quicker: beside its place, then renamed there."""
    file = own_file()
    with paths.disk_errors(file):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locks.held(file.with_name("lock")):
            if not file.exists():
                _write(file, _text_of(ec.generate_private_key(ec.SECP256R1()), serialization.NoEncryption()))
                console.say(f"{file}: made now, the key that signs your versions; keep it secret, and back it up")
    made = known()
    assert made
    return made


def _write(file: Path, text: bytes) -> None:
    """Write a file that nobody else may read, at no moment."""
    partial = file.with_name(f".{file.name}.partial")  # one's left by a killed command is written over
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    partial.rename(file)


def _trust(key: Key) -> None:
    """Put a public key into the project's folder of trusted keys, unless it is there."""
    if key.fingerprint in {each.fingerprint for each in signed.trusted()}:
        return
    file = signed.keys_folder() / f"{key.name}.pem"
    paths.write_whole(file, trusted_keys.pem(key.public))
    console.say(
        f"{file}: the public part of the key that signs here, new; commit it, so that others trust what you sign"
    )


def _private(text: bytes, where: str, password: str = "") -> ec.EllipticCurvePrivateKey:
    try:
        found = serialization.load_pem_private_key(text, password.encode() or None)
    except TypeError as error:  # of a password that is absent, or too much
        wanted = "has no password; unset" if password else "has a password; set"
        raise ReleaseError(f"{where}: {wanted} {PASSWORD}") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ReleaseError(f"{where}: holds no private key as PEM, or its password is another ({PASSWORD})") from error
    if not isinstance(found, ec.EllipticCurvePrivateKey) or not isinstance(found.curve, ec.SECP256R1):
        raise ReleaseError(
            f"{where}: must be of the curve P-256; openssl ecparam -name prime256v1 -genkey -noout makes one"
        )
    return found


def _text(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(trusted_keys.LARGEST)
    except OSError as error:
        raise ReleaseError(
            f"{file}: {error.strerror}; name a file that holds the private key as PEM ({GIVEN})"
        ) from error


def _text_of(private: ec.EllipticCurvePrivateKey, encryption: serialization.KeySerializationEncryption) -> bytes:
    return private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
