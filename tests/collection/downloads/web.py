"""What the tests of downloads share: limits, one run, and a certificate of their own."""

import socket
import ssl
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from irisline.collection.downloads.download import Download, Limits
from irisline.collection.downloads.downloader import fetch_all
from tests.fakes.hostile import Server
from tests.fakes.hostile_answers import AGENT, MAX_BYTES, TIMEOUT


def limits(server: Server, **changes: Any) -> Limits:
    return replace(Limits(MAX_BYTES, 640, 50_000_000, TIMEOUT, 16, 4, AGENT, server.allowed()), **changes)


def fetched(urls: Iterable[str], folder: Path, within: Limits) -> list[Download]:
    """Return what came of each address, in the order they ended."""
    ended: list[Download] = []
    fetch_all(urls, folder, within, ended.append)
    return ended


@contextmanager
def dropping() -> Iterator[str]:
    """Yield a host:port that answers no packet, as behind a firewall: of a full queue the kernel drops what comes."""
    with ExitStack() as open_sockets, socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        for _ in range(4):
            waiting = open_sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        yield f"127.0.0.1:{full.getsockname()[1]}"


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, Path]:
    """Return a server's side of TLS for a name, and the file that says it may be trusted."""
    key, today = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC) - timedelta(minutes=1)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(today)
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    trusted, private = folder / "certificate.pem", folder / "key.pem"
    trusted.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted, private)
    return context, trusted
