"""irisline serve and verify-served: a version that answers, and whether it is the one that should."""

from typing import Annotated

import typer

from irisline.cli.output import Json, show_json, show_table
from irisline.core import console, paths


def serve(
    version: Annotated[
        int | None, typer.Option(help="Serve this one and stay; else follow the champion.", min=1)
    ] = None,
    host: Annotated[str, typer.Option(help="0.0.0.0 lets other machines ask.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 3000,
) -> None:
    """Answer over HTTP, with a page to drop pictures on; Ctrl-C ends it."""
    from irisline.core import params
    from irisline.release.serving import serving

    serving.serve(params.read(paths.PARAMS), version, host, port)


def verify_served(
    url: Annotated[str, typer.Argument(help="Where the service answers; IRISLINE_API_KEY if it wants a key.")],
    as_json: Json = False,
) -> None:
    """Compare a running service with the registry, the DVC lock and git; name the first thing that differs."""
    from dataclasses import asdict

    from irisline.core import params
    from irisline.release.promotion import verification

    found = verification.verify(params.read(paths.PARAMS), url)
    if as_json:
        show_json([asdict(comparison) for comparison in found])
        return
    show_table(("", "what", "served", "according to"), (["✓", one.what, one.served, one.source] for one in found))
    console.say(f"{url} serves what it should")
