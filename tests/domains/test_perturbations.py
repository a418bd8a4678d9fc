"""Perturbations by the domain that params choose: all it has, or those that are named; another's are refused."""

import numpy as np
import pytest
from PIL import Image

from irisline.core.domain import Perturbations
from irisline.core.errors import ParamsError
from irisline.core.params import Augment, Crop
from irisline.domains import perturbations
from tests import planted


@pytest.mark.parametrize("crop", perturbations.OF)
def test_all_that_a_domain_has_can_be_named(crop: str) -> None:
    known = perturbations.chosen(planted.settings(preprocess__crop=crop, evaluate__perturbations=None))
    named = planted.settings(preprocess__crop=crop, evaluate__perturbations=list(known))
    assert perturbations.chosen(named) == known
    assert {"mirror", "jpeg", "scale", "warm_light", "cold_light"} <= set(known)


@pytest.mark.parametrize("crop", perturbations.OF)
def test_what_the_pictures_do_not_survive_is_left_out_unless_it_is_named(crop: str) -> None:
    known = perturbations.chosen(planted.settings(preprocess__crop=crop))
    one_sided = planted.settings(preprocess__crop=crop, augment__mirror=False)
    assert set(known) - set(perturbations.chosen(one_sided)) == {"mirror"}
    assert set(known) - set(perturbations.chosen(one_sided, grey=True)) == {"mirror", "warm_light", "cold_light"}
    named = planted.settings(augment__mirror=False, evaluate__perturbations=["mirror", "warm_light"])
    assert perturbations.chosen(named, grey=True) == ("mirror", "warm_light")


@pytest.mark.parametrize("domain", perturbations.OF.values(), ids=perturbations.OF)
def test_what_teaches_a_perturbation_is_a_param_of_augmentation(domain: Perturbations) -> None:
    assert set(domain.taught_by) <= {*domain.invariant, *domain.directional}
    assert {name.removeprefix("augment.") for name in domain.taught_by.values()} <= Augment.model_fields.keys()


def test_one_of_another_domain_is_refused_with_those_there_are() -> None:
    asked = planted.settings(preprocess__crop="none", evaluate__perturbations=["mirror", "glasses"])
    with pytest.raises(
        ParamsError,
        match=r"^params.yaml: evaluate.perturbations: 'glasses' is not known with preprocess.crop: none; "
        r"take null for all, or of mirror, jpeg, scale, warm_light, cold_light$",
    ):
        perturbations.chosen(asked)


@pytest.mark.parametrize("crop", perturbations.OF)
def test_every_invariant_change_can_be_made_to_any_picture_or_is_none(crop: Crop) -> None:
    domain, picture = perturbations.OF[crop], planted.picture()
    for name in domain.invariant:
        made = domain.apply(name, picture, domain.detect(picture), np.random.default_rng(1))
        assert made is None or isinstance(made, Image.Image)
    assert set(domain.background) <= set(domain.invariant)
    assert not set(domain.directional) & set(domain.invariant)
