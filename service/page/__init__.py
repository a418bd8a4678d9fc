"""The page's files, read once: answering with one opens no file, and no path of a request reaches the disk."""

import mimetypes
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

FIRST = "index.html"
TYPES = mimetypes.MimeTypes(filenames=())  # of this Python, not of the machine


def routes() -> list[Route]:
    """Return a route for each of the page's files, and one for the page itself."""
    files = [
        path
        for path in sorted(Path(__file__).parent.iterdir())
        if path.suffix in (".html", ".js", ".css", ".svg", ".jpg")
    ]
    return [_route("/" if path.name == FIRST else f"/page/{path.name}", path) for path in files]


def _route(address: str, path: Path) -> Route:
    content, kind = path.read_bytes(), TYPES.guess_type(path.name)[0]
    headers = {
        "ETag": f'"{sha256(content).hexdigest()[:32]}"',
        "Cache-Control": "no-cache",
    }  # asked for each time, sent once

    async def answer(request: Request) -> Response:
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type=kind)

    return Route(address, answer, methods=["GET"])
