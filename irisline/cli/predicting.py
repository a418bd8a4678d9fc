"""irisline predict: what is on these pictures, asked of a version of the model."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from irisline.cli.output import Json, show_json, show_table
from irisline.core import console
from irisline.core.errors import IrislineError, Overloaded, UnreadableImage

if TYPE_CHECKING:
    from irisline.inference.classifier import Classifier

OTHERS = 2  # classes that a table has beside the likeliest; --json has all


def predict(
    files: Annotated[list[Path], typer.Argument(help="JPEG, PNG or WebP pictures.")],
    version: Annotated[int | None, typer.Option(help="A version of the registry; else the champion.", min=1)] = None,
    workspace: Annotated[bool, typer.Option("--workspace", help="The model just trained here.")] = False,
    draw: Annotated[bool, typer.Option(help="Draw what was found and looked at, into reports/predict/.")] = True,
    as_json: Json = False,
) -> None:
    """Say which class each picture is, how sure the model is, and when it is not; draw what it looked at."""
    if workspace and version is not None:
        raise typer.BadParameter("--workspace and --version name two different models; give one of them")
    named, classifier = _classifier(version, workspace)
    answers = [_answer(classifier, file) for file in files]
    if as_json:
        show_json({"model": named, "answers": answers})
    else:
        columns = ("file", "label", "confidence", "else", "unsure")
        show_table(columns, (row for answer in answers for row in _rows(answer)))
        if draw:
            try:
                _draw(classifier, [file for file, answer in zip(files, answers, strict=True) if "error" not in answer])
            except IrislineError as error:
                console.fail(f"not drawn: {error}")
    if any("error" in answer for answer in answers):
        raise typer.Exit(1)


def _classifier(version: int | None, workspace: bool) -> tuple[str, "Classifier"]:
    from irisline.core import params, paths
    from irisline.inference.classifier import Classifier
    from irisline.networks.bundle import MODEL_FOLDERS

    if workspace:
        return "workspace", Classifier.load(*MODEL_FOLDERS)
    from irisline.release.promotion import registry

    found, classifier = registry.classifier(params.read(paths.PARAMS), version)
    return f"version {found.number}", classifier


def _answer(classifier: "Classifier", file: Path) -> dict[str, Any]:
    try:
        ((views, outputs),) = classifier.read([_picture(classifier, file)])
        near = classifier.reader.nearest(views, outputs)
        nearest = [
            {"id": each.id, "label": each.label, "distance": each.distance, "credit": each.credit} for each in near
        ]
        return {"file": str(file), **asdict(classifier.reader.picture(views, outputs)), "nearest": nearest}
    except OSError as error:
        return {"file": str(file), "error": error.strerror or str(error)}
    except (UnreadableImage, Overloaded) as error:
        return {"file": str(file), "error": str(error)}


def _picture(classifier: "Classifier", file: Path) -> bytes:
    """Return a file's picture, decoded apart from this process and written anew."""
    from irisline.dataset import untrusted_images

    return untrusted_images.rewritten(untrusted_images.read(file), classifier.max_side, classifier.max_pixels)


def _draw(classifier: "Classifier", files: list[Path]) -> None:
    from irisline.core import display_names, paths
    from irisline.inference import annotated_picture

    for file, name in zip(files, display_names.distinct((file.stem for file in files), ".png"), strict=True):
        paths.write_whole(paths.PREDICT_REPORT / name, annotated_picture.draw(classifier, _picture(classifier, file)))
    if files:
        console.say(f"drawn in {paths.PREDICT_REPORT}/")


def _rows(answer: dict[str, Any]) -> Iterator[list[object]]:
    """Yield the row of a picture, and one for each of its subjects where there are several."""
    if "error" in answer:
        yield [answer["file"], None, None, None, f"unreadable: {answer['error']}"]
        return
    subjects = answer["subjects"] if len(answer["subjects"]) > 1 else ()
    named = [(answer["file"], answer), *((f"{answer['file']}: {n}", one) for n, one in enumerate(subjects, start=1))]
    for name, told in named:
        likeliest = sorted(told["probabilities"].items(), key=lambda share: -share[1])[: OTHERS + 1]
        others = ", ".join(f"{each} {share:.3f}" for each, share in likeliest if each != told["label"])
        unsure = told["reason"] if told["unsure"] else "no"
        yield [name, told["label"], f"{told['confidence']:.3f}", others, unsure]
