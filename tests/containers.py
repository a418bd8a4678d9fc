"""podman with a store of its own, and a stand-in for the base of our images, so that no registry is needed or touched.

Both lie in the environment that runs the tests, and are made once. Never publish an image that is built on the stand-in.
"""

import hashlib
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

HOME = Path(sys.prefix) / "containers"
RUN = Path("/tmp") / f"irisline-podman-{hashlib.sha256(str(HOME).encode()).hexdigest()[:8]}"  # sockets want short paths
BASE = "docker.io/library/python:3.11-slim"
NEEDED = ("podman", "runc", "netavark", "iptables", "mmdebstrap")
READY = 60.0  # seconds to wait for a container


class Podman:
    """podman, as its configuration files in HOME say."""

    def __init__(self) -> None:
        self.files = {
            "CONTAINERS_CONF": str(HOME / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(HOME / "storage.conf"),
            "CONTAINERS_REGISTRIES_CONF": str(HOME / "registries.conf"),
        }

    def run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run podman; its output is on the result, and in the error when it fails."""
        done = subprocess.run(
            ["podman", *words], env=os.environ | self.files, capture_output=True, text=True, check=False
        )
        if check and done.returncode:
            raise AssertionError(f"podman {' '.join(words)} gave {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def inspect(self, name: str) -> dict[str, Any]:
        """Return all that podman knows of an image or a container."""
        found: dict[str, Any] = json.loads(self.run("inspect", name).stdout)[0]
        return found

    def python(self, image: str, code: str) -> str:
        """Return what Python prints in an image, as the service's user."""
        return self.run("run", "--rm", "--network", "none", "--entrypoint", "python3.11", image, "-c", code).stdout


@dataclass(frozen=True)
class Running:
    """A container that is ready."""

    name: str
    address: str
    process: int  # of the service, as this machine counts
    seconds: float  # from the command to the first good answer of /readyz

    def status(self, field: str) -> int:
        """Return a number of the process's status, such as VmRSS in kB."""
        lines = Path(f"/proc/{self.process}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def podman() -> Podman:
    """Return podman with the stand-in base in its store; skip the test with the reason where that cannot be."""
    absent = [
        name for name in NEEDED if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/lib/podman") is None
    ]
    if absent:
        pytest.skip(f"no container engine: apt-get install {' '.join(absent)}")
    engine = Podman()
    for driver in ("overlay", "vfs"):  # an overlay cannot lie on another
        _configure(driver)
        tried = engine.run("info", check=False)
        if tried.returncode == 0:
            break
    else:
        pytest.skip(f"podman does not work here: {tried.stderr.strip().splitlines()[-1]}")
    if engine.run("image", "exists", BASE, check=False).returncode:
        _import_base(engine)
    return engine


@contextmanager
def running(engine: Podman, image: str, *options: str) -> Iterator[Running]:
    """Yield a container of an image as it is meant to run, once it is ready; end it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    name = f"irisline-{port}"
    words = ("--detach", "--name", name, "--read-only", "--tmpfs", "/tmp", "--publish", f"127.0.0.1:{port}:3000")
    started = time.monotonic()
    engine.run("run", *words, *options, image)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(engine, name, address)
        seconds = time.monotonic() - started
        state = engine.inspect(name)["State"]
        yield Running(name, address, state["Pid"], seconds)
    finally:
        if engine.run("rm", "--force", "--time", "1", name, check=False).returncode:  # it ended just as it was killed
            engine.run("rm", "--force", name)


def _wait(engine: Podman, name: str, address: str) -> None:
    until = time.monotonic() + READY
    while time.monotonic() < until:
        try:
            if httpx.get(f"{address}/readyz", timeout=1).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.01)
    raise AssertionError(f"not ready within {READY:g} s:\n{engine.run('logs', name).stderr}")


def _configure(driver: str) -> None:
    """Write podman's files: a runtime that any kernel takes, limits that this machine allows, names that resolve here."""
    HOME.mkdir(parents=True, exist_ok=True)
    files, processes = resource.getrlimit(resource.RLIMIT_NOFILE)[1], resource.getrlimit(resource.RLIMIT_NPROC)[1]
    most = int(Path("/proc/sys/kernel/pid_max").read_text())
    processes = most if processes == resource.RLIM_INFINITY else min(processes, most)
    (HOME / "containers.conf").write_text(f"""[containers]
default_ulimits = ["nofile={files}:{files}", "nproc={processes}:{processes}"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "{RUN}/libpod"
[network]
network_backend = "netavark"
""")
    (HOME / "storage.conf").write_text(f"""[storage]
driver = "{driver}"
graphroot = "{HOME}/{driver}"
runroot = "{RUN}/storage"
""")
    (HOME / "registries.conf").write_text('unqualified-search-registries = ["docker.io"]\n')


def _import_base(engine: Podman) -> None:
    """Make a small Debian with Python where the official image has it, and no compiled modules, as there."""
    archive = HOME / "base.tar"
    hooks = ('find "$1/usr" -name "*.pyc" -delete', 'ln -s ../../bin/python3.11 "$1/usr/local/bin/python3.11"')
    packages = "usr-is-merged,python3.11,python3.11-venv,ca-certificates"
    words = [f"--customize-hook={hook}" for hook in hooks]
    unread = [f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in ("doc", "locale", "man")]
    made = subprocess.run(
        ["mmdebstrap", "--variant=minbase", f"--include={packages}", *unread, *words, "bookworm", str(archive)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip(f"no base image: mmdebstrap: {made.stderr.strip().splitlines()[-1]}")
    engine.run("import", "--change", "LABEL irisline.base=stand-in", str(archive), BASE)
    archive.unlink()
