from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from irisline.validation import data_contract, data_docs, great_expectations, split
from tests import planted
from tests.hostile_names import CLASSES
from tests.validation.test_great_expectations import PARAMS, judge_of, pool

pytestmark = pytest.mark.filterwarnings("ignore:module 'sre_:DeprecationWarning")  # great_expectations, when it loads

FETCHED = {
    "script": "src",
    "link": "href",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "embed": "src",
    "object": "data",
}


class Page(HTMLParser):
    """Collects what a browser would fetch, and what styles it would read."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.text = text
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        if (address := found.get(FETCHED.get(tag, ""))) is not None:
            self.addresses.append(address)
        assert "integrity" not in found


class Words(HTMLParser):
    """Collects what a reader sees."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.feed(text)

    def handle_data(self, data: str) -> None:
        self.seen.append(data)


@pytest.fixture(scope="module")
def docs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    judge = judge_of(pool(), folder)
    judge.broken(
        data_contract.with_outcome(split.divide(pool(r3={"sharpness": 1.0}), set(), PARAMS), PARAMS.base.classes)
    )
    data_docs.take_offline(folder)
    return folder


def test_every_page_fetches_only_files_that_are_there(docs: Path) -> None:
    pages = list(docs.rglob("*.html"))
    assert len(pages) == 5
    for page in pages:
        addresses = Page(page.read_text()).addresses
        assert len(addresses) > 10
        for address in addresses:
            parts = urlsplit(address)
            assert not parts.scheme, address
            assert not parts.netloc, address
            assert (page.parent / parts.path).is_file() or "favicon" in address, address


def test_every_copy_kept_is_asked_for(docs: Path) -> None:
    asked = {Path(address).name for page in docs.rglob("*.html") for address in Page(page.read_text()).addresses}
    assert {Path(copy).name for copy in data_docs.COPIES.values()} <= asked


def test_no_style_names_a_remote_picture(docs: Path) -> None:
    for file in [*docs.rglob("*.html"), *docs.rglob("*.css")]:
        text = file.read_text()
        assert "url(http" not in text.replace("'", "").replace('"', ""), file
        assert "@import" not in text, file


def test_the_page_of_a_failed_suite_says_which_picture_and_shows_an_icon(docs: Path) -> None:
    (page,) = (docs / "validations" / great_expectations.IMAGES).rglob("*.html")
    text = page.read_text()
    assert "brown/003.jpg" in text
    assert "sharp: sharpness must be at least 35" in text
    assert "fa-times" in text


def test_a_name_or_a_licence_is_words_on_every_page(tmp_path: Path) -> None:
    words = [f"<img src={n} onerror=alert({n})>&lt;$id ${{x}} {{{{7*7}}}}\"'" for n in range(2)]
    table = pool(r3={"id": f"brown/{words[0]}.jpg", "sharpness": 1.0}, r5={"licence": words[1]})
    judge_of(table, tmp_path).broken(
        data_contract.with_outcome(split.divide(table, set(), PARAMS), PARAMS.base.classes)
    )
    (page,) = (tmp_path / "validations" / great_expectations.IMAGES).rglob("*.html")
    seen = Words(page.read_text()).seen
    assert all(any(word in text.replace("\\'", "'") for text in seen) for word in words)


@pytest.mark.parametrize("names", list(zip(CLASSES[::2], CLASSES[1::2], strict=True)), ids=lambda names: names[0][:12])
def test_a_class_of_any_name_is_judged_and_is_words_on_the_pages(names: tuple[str, str], tmp_path: Path) -> None:
    params = planted.settings(base__classes=list(names))
    table = pool()
    table["label"] = table["label"].map(dict(zip(("blue", "brown"), names, strict=True)))
    table.loc[3, "label"] = stranger = "<i>neither&amp;nor"
    judge = judge_of(table, tmp_path, params)
    assert [(one.id, one.label, one.value) for one in judge.failures(table)] == [("brown/003.jpg", stranger, stranger)]
    divided = split.divide(table, {"brown/003.jpg"}, params)
    assert not judge.broken(data_contract.with_outcome(divided, params.base.classes))
    seen = " ".join(text for page in tmp_path.rglob("*.html") for text in Words(page.read_text()).seen)
    assert all(name in seen for name in names)


@pytest.mark.parametrize(
    "tag",
    [
        '<img src="https://example.org/pixel.png?id=1">',
        "<IMG SRC='//example.org/pixel.png'>",
        '<script async src="https://example.org/count.js"></script>',
        '<link rel="stylesheet" href="https://example.org/new.css"/>',
        '<iframe src="http://example.org/"></iframe>',
    ],
)
def test_what_has_no_copy_is_dropped(tag: str) -> None:
    assert "example.org" not in data_docs.offline(f"<p>{tag}</p>", ".")


def test_links_a_person_may_follow_stay() -> None:
    link = '<a href="https://greatexpectations.io">Great Expectations</a>'
    assert data_docs.offline(link, ".") == link


def test_the_assets_stay_small() -> None:
    assert sum(file.stat().st_size for file in data_docs.ASSETS.rglob("*") if file.is_file()) < 3_000_000


def test_the_page_of_plots_carries_its_scripts_and_fetches_nothing() -> None:
    page = (Path(__file__).parents[2] / "irisline/new_project/template/plots_page.html").read_text()
    assert "{plot_divs}" in page
    assert Page(page).addresses == []
    for name in ("vega", "vega-lite", "vega-embed"):
        assert (data_docs.ASSETS / "js" / f"{name}.min.js").read_text() in page
