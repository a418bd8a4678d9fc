"""Licences: whatever a provider writes, one spelling; what is not surely known is unknown, and unknown is not accepted."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irisline.core.params import Licence
from irisline.dataset import licences

SPELLED = (
    "CC-BY-2.0",
    "CC-BY-SA-4.0",
    "CC-BY-ND-3.0",
    "CC-BY-NC-2.5",
    "CC-BY-NC-SA-2.0",
    "CC-BY-NC-ND-4.0",
    "CC-BY-NC-ND-1.0",
    "CC-BY-SA-3.0-DE",
    "CC-BY-3.0-IGO",
    "CC0-1.0",
    "PDM-1.0",
)


@pytest.mark.parametrize(
    ("code", "version", "spelled"),
    [
        ("by-sa", "4.0", "CC-BY-SA-4.0"),  # Openverse
        ("cc0", "1.0", "CC0-1.0"),
        ("pdm", "1.0", "PDM-1.0"),
        ("cc-by-sa-3.0-de", "", "CC-BY-SA-3.0-DE"),  # Commons
        ("cc0", "", "CC0-1.0"),
        ("CC BY-NC-ND 2.0", "", "CC-BY-NC-ND-2.0"),  # people
        (" cc  by 4.0 ", "", "CC-BY-4.0"),
        ("CC0", "", "CC0-1.0"),
        ("by-nd-nc", "1.0", "CC-BY-NC-ND-1.0"),
        ("by", "", ""),  # terms differ by version
        ("by", "9.9", ""),
        ("sampling+", "1.0", ""),
        ("gfdl", "1.2", ""),
        ("all rights reserved", "", ""),
        ("by-by", "4.0", ""),
        ("cc-by-4.0,3.0", "", ""),
        ("", "", ""),
    ],
)
def test_what_providers_write_has_one_spelling(code: str, version: str, spelled: str) -> None:
    assert licences.canonical(code, version) == spelled


@pytest.mark.parametrize("spelled", SPELLED)
def test_a_spelling_is_its_own_and_its_address_leads_back(spelled: str) -> None:
    assert licences.canonical(spelled) == spelled
    url = licences.url_of(spelled)
    assert url.startswith("https://creativecommons.org/")
    assert licences.of_url(url) == spelled


def test_addresses_are_those_of_creative_commons() -> None:
    assert licences.url_of("CC-BY-SA-4.0") == "https://creativecommons.org/licenses/by-sa/4.0/"
    assert licences.url_of("CC-BY-SA-3.0-DE") == "https://creativecommons.org/licenses/by-sa/3.0/de/"
    assert licences.url_of("CC-BY-NC-ND-1.0") == "https://creativecommons.org/licenses/by-nd-nc/1.0/"
    assert licences.url_of("CC0-1.0") == "https://creativecommons.org/publicdomain/zero/1.0/"
    assert licences.url_of("PDM-1.0") == "https://creativecommons.org/publicdomain/mark/1.0/"
    assert [licences.url_of(name) for name in ("own", "", "Getty")] == ["", "", ""]


@pytest.mark.parametrize(
    ("url", "spelled"),
    [
        ("http://creativecommons.org/licenses/by/2.0", "CC-BY-2.0"),
        ("https://www.creativecommons.org/licenses/by-sa/4.0/deed.de", "CC-BY-SA-4.0"),
        ("https://creativecommons.org/licenses/by-sa/3.0/us/legalcode", "CC-BY-SA-3.0-US"),
        ("https://creativecommons.org/licenses/by/4.0/legalcode", "CC-BY-4.0"),
        ("//creativecommons.org/publicdomain/zero/1.0/deed.en", "CC0-1.0"),
        ("https://creativecommons.org/publicdomain/mark/1.0/", "PDM-1.0"),
        ("https://creativecommons.org.example.net/licenses/by/4.0/", ""),
        ("https://example.net/creativecommons.org/licenses/by/4.0/", ""),
        ("https://creativecommons.org/licenses/sampling+/1.0/", ""),
        ("https://creativecommons.org/publicdomain/by/4.0/", ""),
        ("https://www.flickr.com/commons/usage/", ""),
        ("https://[creativecommons.org/licenses/by/4.0/", ""),
        ("", ""),
    ],
)
def test_an_address_stands_for_a_licence_only_at_creative_commons(url: str, spelled: str) -> None:
    assert licences.of_url(url) == spelled


def test_families_are_those_of_params() -> None:
    known = {licences.family(spelled) for spelled in SPELLED}
    assert known == set(get_args(Licence)) - {"unknown"}
    assert licences.family("CC-BY-NC-SA-2.0") == "by-nc-sa"
    assert [licences.family(name) for name in ("own", "", "Getty", "CC-BY")] == ["own", "unknown", "unknown", "unknown"]


def test_what_is_accepted_is_said_and_ones_own_always_is() -> None:
    usual = ["cc0", "pdm", "by", "by-sa"]
    assert licences.accepted("CC-BY-SA-3.0-DE", usual)
    assert licences.accepted("own", usual)
    assert licences.accepted("own", [])
    assert not licences.accepted("CC-BY-NC-2.0", usual)
    assert not licences.accepted("CC-BY-ND-2.0", usual)
    assert not licences.accepted("", usual)
    assert licences.accepted("", ["unknown"])
    assert not licences.accepted("CC-BY-2.0", ["unknown"])


@given(st.text(max_size=60), st.text(max_size=8))
def test_no_text_is_taken_for_a_licence_that_has_no_address(code: str, version: str) -> None:
    spelled = licences.canonical(code, version)
    assert spelled in ("", "own") or licences.of_url(licences.url_of(spelled)) == spelled
    assert licences.of_url(code) == "" or licences.of_url(code) in SPELLED
