"""Which providers there are, why others are refused, and that no key is ever told."""

import logging
import re
import subprocess
import sys
import traceback

import pytest

from irisline.collection.sources import providers
from irisline.collection.sources.candidate import Query
from irisline.core.errors import SearchFailed
from tests.fakes.reply import Reply, as_json
from tests.fakes.web import Web
from tests.imports import ROOT
from tests.planted import settings

WITH_KEYS = ("openverse", "flickr", "brave")


@pytest.fixture
def abroad(web: Web, monkeypatch: pytest.MonkeyPatch) -> Web:
    """Return the fake web, with its addresses and keys in the environment."""
    for name, value in (web.environment | web.keys).items():
        monkeypatch.setenv(name, value)
    return web


def test_params_name_the_providers_there_are() -> None:
    line = next(line for line in (ROOT / "params.yaml").read_text().splitlines() if line.startswith("  sources:"))
    listed = re.findall(r"\w+", line.split("in this order:")[1].replace("(no network)", ""))
    assert listed == list(providers.KNOWN)


@pytest.mark.parametrize("name", ["openverse", "commons", "flickr", "brave"])
def test_each_provider_searches_where_the_environment_says(name: str, abroad: Web) -> None:
    provider = providers.provider(name, settings(snapshot__contact="me@example.org"))
    assert provider.name == name
    assert len(list(provider.search(Query("blue", "everything blue"), 3))) == 3
    assert {one.service for one in abroad.seen} == {name}


@pytest.mark.parametrize("name", ["openverse", "commons", "flickr", "brave"])
@pytest.mark.parametrize("odd", ["notaurl", "http://[::1", "ftp://example.org", "http://example.org:99999"])
def test_a_home_that_is_no_address_is_one_line(
    name: str, odd: str, abroad: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable = f"IRISLINE_{name.upper()}_URL"
    monkeypatch.setenv(variable, odd)
    expected = rf"^{variable}: {re.escape(repr(odd))} is no http or https address; correct or unset it$"
    with pytest.raises(SearchFailed, match=expected):
        providers.provider(name, settings(snapshot__contact="me@example.org"))


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "ftp://me:secret@proxy.example", "http://[::1"])
def test_a_proxy_that_cannot_be_used_is_one_line_without_its_password(
    proxy: str, abroad: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(
        SearchFailed, match=r"^brave: the proxy of the environment cannot be used; set ALL_PROXY, .*"
    ) as told:
        providers.provider("brave", settings())
    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("pexels", r"its terms forbid to build data sets or to train models with its API \(help\.pexels\.com"),
        ("unsplash", r"its API guidelines rule out training models \(help\.unsplash\.com"),
        ("pixabay", r"its API forbids systematic mass downloads"),
        ("bing", r"its API was retired on 2025-08-11"),
        ("google", r"its search API takes no new customers and ends on 2027-01-01"),
    ],
)
def test_who_is_refused_is_refused_with_the_reason(name: str, reason: str) -> None:
    with pytest.raises(
        SearchFailed, match=rf"^{name}: refused: {reason}.*; choose from openverse, commons, .*, drawn$"
    ):
        providers.provider(name, settings())


def test_an_unknown_name_is_told_the_known_ones() -> None:
    with pytest.raises(
        SearchFailed, match=r"^snapshot\.sources: 'opnverse' is no provider; choose from openverse, commons, fl"
    ):
        providers.provider("opnverse", settings())


@pytest.mark.parametrize("name", WITH_KEYS)
def test_no_key_is_told_in_a_candidate_or_a_log(name: str, abroad: Web, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    candidates = list(providers.provider(name, settings()).search(Query("blue", "everything blue"), 1000))
    assert candidates
    told = caplog.text + repr(candidates)
    assert "HTTP Request" in told
    assert [key for key in (*abroad.keys.values(), "token-") if key in told] == []


@pytest.mark.parametrize("name", WITH_KEYS)
@pytest.mark.parametrize("status", [200, 400, 401, 403, 422])
def test_no_key_is_told_in_an_error_even_where_the_provider_repeats_it(name: str, status: int, abroad: Web) -> None:
    keys = " ".join(abroad.keys.values())
    body = {"stat": "fail", "message": keys, "detail": keys, "error": keys, "access_token": [keys]}
    abroad.answer_next(name, *[as_json(body, status)] * 3)
    with pytest.raises(SearchFailed) as caught:
        list(providers.provider(name, settings()).search(Query("blue", "blue"), 10))
    own = {value for key, value in abroad.keys.items() if key.startswith(name.upper())}
    told = "".join(traceback.format_exception(caught.value))  # with all that led to it
    assert [key for key in own if key in told] == []


def test_a_bad_gateway_in_html_is_one_line(abroad: Web) -> None:
    abroad.answer_next("openverse", Reply(404, b"<html>\n<h1>Not\nFound</h1>", "text/html"))
    with pytest.raises(SearchFailed, match=r"^openverse: answered 404: Not Found$"):
        list(providers.provider("openverse", settings()).search(Query("blue", "blue"), 10))


def test_searching_the_web_loads_no_renderer() -> None:
    code = "import sys, irisline.collection.sources.providers; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"cv2", "scipy", "torch", "mlflow", "dvc", "ddgs"}
