"""irisline bento and container: a version packed, for other machines."""

from typing import Annotated

import typer

from irisline.cli.output import show_table
from irisline.core import console, paths

Number = Annotated[int | None, typer.Option("--version", help="Its number; else the champion.", min=1)]
Gpu = Annotated[
    bool, typer.Option("--gpu", help="For NVIDIA's devices: torch and its weights beside the CPU's network.")
]


Follow = Annotated[bool, typer.Option("--follow", help="With MLflow's client, so that it can follow an alias.")]


def bento(version: Number = None, gpu: Gpu = False, follow: Follow = False) -> None:
    """Pack a version and the service that answers with it as a Bento; the same version again is the same Bento."""
    from irisline.core import params
    from irisline.release.packaging import bento as packing

    built = packing.build(params.read(paths.PARAMS), version, packing.Kind(gpu, follow))
    console.say(f"{built.tag}: {'built' if built.changed else 'is built already, nothing to do'}")
    console.say(f"to try it, type: bentoml serve {built.tag}")


def container(
    version: Number = None,
    gpu: Gpu = False,
    follow: Follow = False,
    engine: Annotated[str | None, typer.Option(help="docker or podman; else the first that answers.")] = None,
) -> None:
    """Build the image of a version with docker or podman, and its bill of materials; only its last layer is the version."""
    from irisline.core import params
    from irisline.release.packaging import container as building
    from irisline.release.packaging.bento import Kind

    image = building.build(params.read(paths.PARAMS), version, Kind(gpu, follow), engine)
    show_table(("layer", "megabytes"), [(name, f"{size / 1e6:.1f}") for name, size in image.layers.items()])
    console.say(f"{image.tag}: {image.size / 1e6:.0f} MB; its bill of materials is {image.sbom}")
    devices = "--device nvidia.com/gpu=all " if image.engine == "podman" else "--gpus all "
    run = f"{image.engine} run --rm --read-only --tmpfs /tmp --publish 127.0.0.1:3000:3000 {devices if gpu else ''}{image.tag}"
    console.say(f"to run it, type: {run}")
