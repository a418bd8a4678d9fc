"""What becomes of a fetched picture beside those that are there: taken once, and under one label or none."""

from irisline.collection.snapshot.admission import Admission
from irisline.collection.snapshot.source_lines import SourceLines
from irisline.dataset.sources_table import Line
from irisline.dataset.take_downs import Rule, TakeDowns
from irisline.validation.fingerprints import Fingerprint
from tests.collection.snapshot.made import candidate, fingerprint, noted

FROM_A_SEARCH = {"provider": "openverse", "licence": "CC0-1.0", "image_url": "https://images.example/1.jpg"}


def admission(*lines: Line, present: tuple[str, ...] = (), rules: tuple[Rule, ...] = ()) -> Admission:
    made = Admission(SourceLines(lines, present), TakeDowns(rules), distance=4)
    for number, identity in enumerate(present):
        made.know(identity, fingerprint(number))
    return made


def admit(made: Admission, label: str, name: str, shows: int, **more: str) -> str:
    found = candidate(label, name)
    made.admit(found, noted(found, **more), fingerprint(shows))
    return made.ledger.status(f"{label}/openverse-{name}")


def test_a_new_picture_is_taken_with_all_that_is_known_of_it() -> None:
    made = admission()
    assert admit(made, "blue", "a", 1, sha256="ab" * 32) == "fetched"
    assert made.ledger.lines == [
        {
            "id": "blue/openverse-a.jpg", "provider": "openverse", "query": "blue eye", "rank": "1", "page_url": "",
            "image_url": "https://images.example/a.jpg", "title": "a", "author": "", "licence": "CC-BY-4.0",
            "licence_url": "", "provider_hash": "", "sha256": "ab" * 32, "bytes": "9", "width": "4", "height": "3",
            "fetched_at": "2026-01-01T00:00:00Z", "status": "fetched", "phash": "000000000000001f",
        }
    ]  # fmt: skip
    assert {name: str(file) for name, file in made.ledger.added.items()} == {"blue/openverse-a.jpg": "ab" * 32 + ".jpg"}


def test_a_failed_download_keeps_its_status_and_its_sentence() -> None:
    made = admission()
    found = candidate("blue", "a")
    made.admit(found, noted(found, status="dead"), None)
    assert made.ledger.status("blue/openverse-a") == "dead"
    assert made.ledger.details == {"blue/openverse-a": "it is dead"}
    assert not made.ledger.added


def test_what_only_our_decoder_finds_broken_is_damaged() -> None:
    made = admission()
    found = candidate("blue", "a")
    made.admit(found, noted(found), Fingerprint(reason="damaged: cut short"))
    assert made.ledger.status("blue/openverse-a") == "damaged"


def test_the_same_picture_under_the_same_label_is_a_duplicate() -> None:
    made = admission(present=("blue/own.jpg",))
    assert admit(made, "blue", "a", 0) == "duplicate"
    assert admit(made, "blue", "b", 7) == "fetched"
    assert admit(made, "blue", "c", 7) == "duplicate"
    assert made.ledger.details["blue/openverse-c"] == "shows the same as blue/openverse-b"
    assert made.reports == []


def test_near_is_within_the_distance_and_no_further() -> None:
    made = admission()
    for bits, status in ((0, "fetched"), (4, "duplicate"), (5, "fetched")):
        found = candidate("blue", str(bits))
        made.admit(found, noted(found), Fingerprint(f"pixels {bits}", (1 << bits) - 1))
        assert made.ledger.status(f"blue/openverse-{bits}") == status


def test_the_same_picture_under_two_labels_is_kept_under_neither() -> None:
    made = admission()
    assert admit(made, "blue", "a", 7) == "fetched"
    assert admit(made, "brown", "b", 7) == "conflict"
    assert made.ledger.status("blue/openverse-a") == "conflict"
    assert not made.ledger.added
    assert not made.ledger.removed  # it was never in the pool
    assert admit(made, "blue", "c", 7) == "conflict"  # nor does a third copy slip in
    assert made.ledger.tally["blue", "openverse"]["fetched"] == 0


def test_a_picture_that_a_snapshot_brought_leaves_the_pool_when_it_shows_up_under_another_label() -> None:
    earlier = FROM_A_SEARCH | {"id": "blue/openverse-1.jpg", "status": "fetched", "sha256": "12"}
    made = admission(earlier, present=("blue/openverse-1.jpg",))
    assert admit(made, "brown", "b", 0) == "conflict"
    assert made.ledger.removed == ["blue/openverse-1.jpg"]
    assert made.ledger.lines[0] == earlier | {"id": "blue/openverse-1", "status": "conflict"}
    assert made.ledger.details["blue/openverse-1"] == "shows the same as brown/openverse-b"


def test_a_persons_own_picture_is_never_removed_only_reported() -> None:
    lines = [
        FROM_A_SEARCH | {"id": "blue/drawn.jpg", "status": "fetched", "image_url": ""},
        FROM_A_SEARCH | {"id": "blue/folder-1.jpg", "status": "fetched", "licence": "own"},
        FROM_A_SEARCH | {"id": "blue/written-by-hand.jpg"},
    ]
    present = ("blue/drawn.jpg", "blue/folder-1.jpg", "blue/written-by-hand.jpg", "blue/no-line.jpg")
    made = admission(*lines, present=present)
    for number, identity in enumerate(present):
        assert admit(made, "brown", f"b{number}", number) == "conflict"
        said = f"{identity}: shows the same as brown/openverse-b{number}; it stays, for no snapshot brought it"
        assert made.reports[-1] == said
    assert made.ledger.removed == []
    assert [line for line in made.ledger.lines if line["id"] in present] == lines


def test_what_is_like_a_picture_in_conflict_is_in_conflict_too() -> None:
    made = admission(present=("brown/own.jpg",))  # its hash has no bit set
    for name, bits in (("a", 0b1111), ("b", 0b11111111)):  # the second is like the first, and not like the own one
        found = candidate("blue", name)
        made.admit(found, noted(found), Fingerprint(name, bits))
        assert made.ledger.status(f"blue/openverse-{name}") == "conflict"


def test_a_file_that_was_in_conflict_or_taken_down_before_stays_out() -> None:
    conflict = FROM_A_SEARCH | {"id": "blue/openverse-1", "status": "conflict", "sha256": "12"}
    rule = Rule("2026-01-01T00:00:00Z", "sha256", sha256="34", reason="she asked")
    made = admission(conflict, rules=(rule,))
    assert admit(made, "brown", "b", 5, sha256="12") == "conflict"
    assert admit(made, "brown", "c", 6, sha256="34") == "taken_down"
    assert made.ledger.details["brown/openverse-c"] == "taken down 2026-01-01: she asked"
    assert not made.ledger.added


def test_a_picture_that_a_person_deleted_does_not_come_back_as_its_copy() -> None:
    gone = FROM_A_SEARCH | {
        "id": "blue/openverse-1.jpg",
        "status": "fetched",
        "sha256": "12",
        "phash": f"{0b1111:016x}",
    }
    older = gone | {"id": "blue/openverse-2.jpg", "sha256": "34", "phash": "none"}  # as before there was such a column
    made = admission(gone, older, present=("brown/own.jpg",))
    for label in ("blue", "brown"):
        for name, bits in (("exact", 0b1111), ("near", 0b11111)):
            found = candidate(label, name)
            made.admit(found, noted(found), Fingerprint(name, bits))
            assert made.ledger.status(f"{label}/openverse-{name}") == "duplicate"
    assert (
        made.ledger.details["brown/openverse-near"] == "shows the same as blue/openverse-1, which was deleted by hand"
    )
    assert admit(made, "blue", "same-bytes", 9, sha256="34") == "duplicate"
    assert admit(made, "blue", "another", 8) == "fetched"
    assert made.reports == []


def test_what_was_in_conflict_in_an_earlier_run_is_known_by_what_it_shows() -> None:
    first = admission()
    assert [admit(first, label, "a", 7) for label in ("blue", "brown")] == ["fetched", "conflict"]
    assert admit(admission(*first.ledger.lines), "blue", "copy", 7, sha256="other bytes") == "conflict"


def test_a_copy_of_what_was_taken_down_is_not_taken_under_any_class() -> None:
    rule = Rule("2026-01-01T00:00:00Z", "id", "openverse", "1", reason="she asked", phash=f"{0b111111:016x}")
    made = admission(rules=(rule, Rule("2026-01-01T00:00:00Z", "id", "openverse", "2", reason="before")))
    for label in ("blue", "brown"):
        found = candidate(label, "near")
        made.admit(found, noted(found), Fingerprint("near", 0b1111111))
        assert made.ledger.status(f"{label}/openverse-near") == "taken_down"
    assert (
        made.ledger.details["blue/openverse-near"] == "shows the same as one that was taken down 2026-01-01: she asked"
    )
    assert admit(made, "blue", "another", 8) == "fetched"
    assert admit(made, "blue", "plain", 0) == "fetched"


def test_what_others_wrote_is_one_line_that_can_be_written() -> None:
    made = admission()
    found = candidate("blue", "a", title="two\nlines \ud800\0", author="x" * 200_000)
    made.admit(found, noted(found), fingerprint(1))
    line = made.ledger.lines[0]
    assert line["title"] == "two lines ?"
    assert len(line["author"]) == 10_000
