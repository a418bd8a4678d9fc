"""Which versions a picture went into: the table that each keeps, and what is told when one cannot be read."""

import json
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow as pa

from irisline.core import paths
from irisline.core.params import Params
from irisline.dataset import shards, training_set
from irisline.networks import bundle
from irisline.release.promotion import registry
from irisline.release.publishing import publishing, trained_on
from irisline.release.tracking import store, versions
from tests.release.conftest import Train, put_model


def pixels(name: str) -> str:
    return next(row["sha256"] for row in shards.stream(paths.ACCEPTED) if row["id"] == name)


def without(name: str) -> None:
    """Accept the same pictures but one, as validate does once it has left the pool."""
    rows = [row for row in shards.stream(paths.ACCEPTED) if row["id"] != name]
    shards.write(paths.ACCEPTED, shards.ACCEPTED, 100, rows)


def told(settings: Params, *names: str) -> list[dict[str, object]]:
    return [use.document() for use in trained_on.uses(settings, names, [pixels(name) for name in names])]


def test_a_table_keeps_what_tells_a_picture_and_neither_bytes_nor_authors(project: Path) -> None:
    pictures = training_set.of(shards.table(paths.ACCEPTED))
    kept = training_set.unpacked(training_set.packed(pictures))
    assert kept.column_names == ["id", "sha256", "split", "provider", "licence", "page_url"]
    assert training_set.digest(kept) == training_set.digest(pictures)
    assert training_set.counts(kept, "provider") == {"drawn": 24}
    assert len(training_set.counts(kept, "page_url")) == 24
    assert training_set.counts(pa.table({"licence": ["own", None]}), "licence") == {"own": 1, "unknown": 1}
    assert training_set.digest(kept.slice(1)) != training_set.digest(kept)


def test_the_versions_that_a_picture_went_into_are_named_with_its_split(train: Train, settings: Params) -> None:
    train(weight=0.05)
    publishing.publish(settings)
    registry.promote(settings, 1)
    seen = pixels("blue/0.jpg")
    without("blue/0.jpg")
    train(weight=0.06)
    publishing.publish(settings)
    (use,) = trained_on.uses(settings, ["blue/0.jpg"], [seen])
    assert (use.version.number, use.version.aliases, use.splits) == (1, ("champion",), {"train": ["blue/0.jpg"]})
    assert [one["version"] for one in told(settings, "blue/2.jpg", "brown/5.jpg")] == [2, 1]
    assert told(settings, "blue/2.jpg", "brown/5.jpg")[0]["test"] == ["brown/5.jpg"]
    assert trained_on.uses(settings, ["blue/99.jpg"], ["0" * 64]) == []


def test_pixels_tell_a_picture_that_had_another_name_and_a_name_one_that_cannot_be_read(
    published: Params,
) -> None:
    by_pixels = trained_on.uses(published, ["blue/renamed.jpg"], [pixels("blue/2.jpg")])
    by_name = trained_on.uses(published, ["blue/2.jpg"], [])
    assert [use.splits for use in by_pixels] == [use.splits for use in by_name] == [{"valid": ["blue/2.jpg"]}] * 2


def test_a_golden_picture_is_named_for_the_version_holds_its_bytes(train: Train, settings: Params) -> None:
    train()
    publishing.publish(settings)
    (use,) = trained_on.uses(settings, ["blue/4.jpg", "brown/5.jpg"], [pixels("blue/4.jpg"), pixels("brown/5.jpg")])
    assert use.splits == {"test": ["blue/4.jpg", "brown/5.jpg"]}
    assert use.golden == ("blue/4.jpg",)


def test_any_test_picture_may_be_golden_where_the_version_does_not_tell(train: Train, settings: Params) -> None:
    train()
    golden = paths.CALIBRATED / "golden" / "answers.json"
    told = [
        {name: said for name, said in answer.items() if name != "sha256"} for answer in json.loads(golden.read_text())
    ]
    golden.write_text(json.dumps(told))
    publishing.publish(settings)
    (use,) = trained_on.uses(settings, ["brown/5.jpg", "blue/0.jpg"], [pixels("brown/5.jpg")])
    assert (use.splits["test"], use.golden) == (["brown/5.jpg"], ("brown/5.jpg",))


def test_a_version_published_before_tables_were_kept_is_unknown_until_it_is_published_again(
    train: Train, settings: Params
) -> None:
    train()
    run_id, client = publishing.publish(settings).run_id, store.client()
    client.delete_tag(run_id, versions.PICTURES)
    client.delete_model_version_tag("eye-colour", "1", versions.PICTURES)
    (use,) = trained_on.uses(settings, ["blue/0.jpg"], [pixels("blue/0.jpg")])
    assert use.document()["unknown"] == "its pictures were not recorded when it was published"
    assert "not recorded" in trained_on.counts(registry.find(settings, 1).facts)["unknown"]
    again = publishing.publish(settings)
    assert (again.version, again.version_created, again.run_changed) == (1, False, True)
    assert not publishing.publish(settings).changed
    assert told(settings, "blue/0.jpg")[0]["train"] == ["blue/0.jpg"]


def test_a_table_that_was_changed_or_lost_is_unknown_and_not_innocent(published: Params) -> None:
    client = store.client()
    where = json.loads(registry.find(published, 2).tags[versions.PICTURES])["run"]
    file = Path(urlsplit(client.get_run(where).info.artifact_uri).path) / trained_on.FOLDER / trained_on.FILE
    kept = file.read_bytes()
    try:
        file.write_bytes(training_set.packed(training_set.unpacked(kept).slice(1)))
        assert told(published, "blue/2.jpg")[0]["unknown"] == "its table of pictures is not the one that was kept"
        file.write_bytes(b"torn")
        reason = told(published, "blue/2.jpg")[0]["unknown"]
        assert str(reason).startswith("its table of pictures is not in the store: ")
    finally:
        file.write_bytes(kept)  # other tests read this store too


def test_a_workspace_whose_pictures_are_no_longer_the_models_changes_no_table(train: Train, settings: Params) -> None:
    train()
    publishing.publish(settings)
    before = registry.find(settings, 1).tags[versions.PICTURES]
    without("blue/0.jpg")
    assert not publishing.publish(settings).changed
    (paths.EVALUATE_REPORT / "model_card.md").write_text("another run of the same model")
    assert publishing.publish(settings).run_changed
    assert registry.find(settings, 1).tags[versions.PICTURES] == before
    (use,) = trained_on.uses(settings, ["blue/0.jpg"], [])
    assert use.splits == {"train": ["blue/0.jpg"]}


def test_other_pictures_are_another_version(train: Train, settings: Params) -> None:
    train()
    before = bundle.digest(*bundle.MODEL_FOLDERS)
    without("blue/4.jpg")  # of the test split: the weights stay
    put_model(settings)
    assert bundle.digest(*bundle.MODEL_FOLDERS) != before
