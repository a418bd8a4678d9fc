"""How each domain perturbs pictures: invariance and directional tests, as CheckList (Ribeiro et al. 2020) calls them."""

from collections.abc import Mapping

from irisline.core.domain import Perturbations
from irisline.core.errors import ParamsError
from irisline.core.params import Crop, Params
from irisline.eyes import perturbations as eyes
from irisline.whole_picture import perturbations as whole_picture

OF: Mapping[Crop, Perturbations] = {"none": whole_picture.PERTURBATIONS, "eyes": eyes.PERTURBATIONS}


def chosen(params: Params, grey: bool = False) -> tuple[str, ...]:
    """Return the perturbations that params ask for; raise ParamsError for one that their domain does not have.

    Where params leave the choice, without those that the pictures do not survive: no mirror where augmentation has none, no
    light of another colour where the pictures are grey.
    """
    domain, asked = OF[params.preprocess.crop], params.evaluate.perturbations
    known = (*domain.invariant, *domain.directional)
    if asked is None:
        foreign = {"augment.mirror": not params.augment.mirror, "augment.light": grey}
        return tuple(name for name in known if not foreign.get(domain.taught_by.get(name, "")))
    if unknown := [name for name in asked if name not in known]:
        raise ParamsError(
            f"params.yaml: evaluate.perturbations: {unknown[0]!r} is not known with preprocess.crop: "
            f"{params.preprocess.crop}; take null for all, or of {', '.join(known)}"
        )
    return tuple(asked)
