"""Stage 6 of 7: calibrate on the validation split, measure the test split once, judge."""

from irisline.core import console, paths, stage
from irisline.core.params import Params
from irisline.dataset import shards
from irisline.evaluation import (
    baselines,
    flips,
    gate,
    model_card,
    perturbation_report,
    perturbation_tests,
    precision,
    quantization,
    report,
    slices,
)
from irisline.evaluation import evaluate as evaluation
from irisline.evaluation.evaluate import Answers
from irisline.evaluation.precision import Choice
from irisline.inference.classifier import Classifier
from irisline.labels import suspects


def evaluate(params: Params) -> None:
    """Read artifacts/train/ and artifacts/validate/ into artifacts/evaluate/ and reports/evaluate/."""
    classifier, test, choice = _calibrated(params)
    tried = perturbation_tests.trial(classifier, paths.ACCEPTED, params)
    asked = perturbation_tests.ask(classifier, test, paths.ACCEPTED, tried, params.execution)
    samples, seed = params.evaluate.bootstrap_samples, params.base.seed
    numbers = evaluation.measure(test, classifier.calibration, samples, seed)
    numbers |= flips.measure(asked, tried.domain.background) | baselines.measure(classifier, paths.ACCEPTED, seed)
    weight, taught_by = evaluation.weight(paths.TRAINED), tried.domain.taught_by
    verdict = gate.verdict(gate.judge(numbers, *weight, params.gate, taught_by))
    sliced = slices.of(test, paths.ACCEPTED)
    card = model_card.of_workspace(params, test, classifier.calibration.temperature, numbers, sliced)
    with paths.whole_folder(paths.EVALUATE_REPORT) as folder:
        made = report.files(classifier, test, paths.ACCEPTED, params.evaluate, numbers, verdict)
        flipping = gate.max_flips(numbers, params.gate), params.gate.min_expected_flip_rate
        made |= perturbation_report.files(asked, paths.ACCEPTED, tried, *flipping) | slices.files(sliced)
        made |= {model_card.FILE: card.encode(), "precision.json": choice.as_json().encode()}
        for name, content in made.items():
            (folder / name).write_bytes(content)
    _say(numbers, verdict["passed"], choice)


def _calibrated(params: Params) -> tuple[Classifier, Answers, Choice]:
    """Write artifacts/evaluate/; give the classifier, its answers on the test split and the precision that is served."""
    limits, seed = params.evaluate, params.base.seed
    with paths.whole_folder(paths.CALIBRATED) as folder:
        trained_on = suspects.of_training(shards.of_split(paths.ACCEPTED, "train"), params.labels, variant=False)
        left_out = suspects.not_calibrated_on(params.labels)
        evaluation.calibrate(paths.TRAINED, paths.ACCEPTED, trained_on, left_out, limits, seed, folder)
        model = (paths.TRAINED, folder)
        classifier = Classifier.load(*model)
        test = evaluation.answers(classifier, paths.ACCEPTED, "test")
        failure = quantization.add(classifier, paths.TRAINED, paths.ACCEPTED, seed, folder)
        choice = precision.choose_for(model, failure, test, paths.ACCEPTED, params.gate.max_changed_answers)
        answering, golden = evaluation.classifiers(*model), folder / "golden"
        evaluation.keep_golden(answering, test, paths.ACCEPTED, limits.golden_images, seed, golden)
    return classifier, test, choice


def _say(numbers: dict[str, float], passed: bool, choice: Choice) -> None:
    console.say(
        f"evaluate: {numbers['error_rate']:.1%} wrong of {numbers['test_images']} test images "
        f"(95 % interval {numbers['error_rate_low']:.1%} to {numbers['error_rate_high']:.1%}); "
        f"the gate's own limits are {'met' if passed else 'not met'}"
    )
    console.say(f"evaluate: {flips.sentence(numbers)}")
    console.say(f"evaluate: {baselines.sentence(numbers)}")
    console.say(f"evaluate: the CPU serves {choice.chosen}: {choice.reason}")


if __name__ == "__main__":
    stage.run(evaluate)
