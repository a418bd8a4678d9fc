"""Public keys that are trusted: the files of a folder, as PEM, of the curve P-256. Part of the serving image."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from irisline.core.bounded import plain_files
from irisline.core.errors import ModelError, UnfitFile

LARGEST = 2**16  # bytes of a file that holds a key
MOST = 256


@dataclass(frozen=True)
class Key:
    """A public key, by the name of its file."""

    name: str
    public: ec.EllipticCurvePublicKey

    @property
    def fingerprint(self) -> str:
        """The sha256 of the key's PEM, by which model-signing names it too."""
        return hashlib.sha256(pem(self.public)).hexdigest()

    def __str__(self) -> str:
        return f"{self.name} ({self.fingerprint[:12]})"


def pem(public: ec.EllipticCurvePublicKey) -> bytes:
    """Return the text of a public key."""
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def trusted(folder: Path) -> tuple[Key, ...]:
    """Return the public keys of a folder, none when it is not there; raise ModelError for a file that holds no such key."""
    files = sorted(folder.glob("*.pem"))
    if len(files) > MOST:
        raise ModelError(f"{folder}: holds {len(files)} keys, limit is {MOST}; remove those nobody signs with")
    return tuple(Key(file.stem, _public(file)) for file in files)


def _public(file: Path) -> ec.EllipticCurvePublicKey:
    try:
        found = serialization.load_pem_public_key(plain_files.read(file, LARGEST))
    except (UnfitFile, OSError, ValueError, UnsupportedAlgorithm) as error:
        raise ModelError(f"{file}: holds no public key; write one there as PEM, or remove the file") from error
    if not isinstance(found, ec.EllipticCurvePublicKey) or not isinstance(found.curve, ec.SECP256R1):
        raise ModelError(
            f"{file}: must be a key of the curve P-256; openssl ecparam -name prime256v1 -genkey makes one"
        )
    return found
