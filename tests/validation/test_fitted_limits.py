"""Fitted limits: all but one picture in a hundred pass, what tells nothing stays out, and none becomes stricter."""

import pandas as pd
import pytest

from irisline.validation import fitted_limits, picture_limits
from irisline.validation.picture_limits import ALL, Limit

PHOTOGRAPHS = {each.key: Limit(each.photographs, False) for each in ALL}
ORDINARY = {
    "short_side": 200.0,
    "aspect": 1.3,
    "brightness": 120.0,
    "contrast": 40.0,
    "sharpness": 80.0,
    "entropy": 7.0,
}


def table(*odd: dict[str, float], count: int = 300) -> pd.DataFrame:
    """Return a table of ordinary pictures, the last ones odd in what is said of them."""
    rows = [ORDINARY] * (count - len(odd)) + [ORDINARY | changes for changes in odd]
    return pd.DataFrame(rows).assign(id=[f"{number:04}" for number in range(count)], label="thing")


def refused(limits: dict[str, Limit], facts: pd.DataFrame) -> list[str]:
    masks = [each.refuses(facts[each.column], limits[each.key].value) for each in ALL]
    return facts["id"][pd.concat(masks, axis=1).any(axis=1)].tolist()


def test_one_in_a_hundred_stays_out_whatever_the_limit_it_breaks() -> None:
    facts = table(
        *({"short_side": 40.0 - number} for number in range(5)),
        *({"sharpness": 30.0 - 2 * number} for number in range(5)),
        {"aspect": 40.0},
    )
    fitted = fitted_limits.fitted(PHOTOGRAPHS, facts)
    assert refused(fitted, facts) == ["0297", "0298", "0299"]  # the most blurred, and the strip
    changed = {key: limit.value for key, limit in fitted.items() if limit != PHOTOGRAPHS[key]}
    assert changed == {"min_side": 36, "min_sharpness": 26}


def test_what_tells_nothing_stays_out_however_much_it_is() -> None:
    facts = table(*({"contrast": 0.3, "brightness": 0.1} for _ in range(60)), *({"contrast": 3.14} for _ in range(30)))
    fitted = fitted_limits.fitted(PHOTOGRAPHS, facts)
    assert fitted["min_contrast"].value == 3.1
    assert len(refused(fitted, facts)) == 60
    assert {key for key, limit in fitted.items() if limit != PHOTOGRAPHS[key]} == {"min_contrast"}


def test_no_limit_becomes_stricter_and_few_refused_ones_change_nothing() -> None:
    loose = PHOTOGRAPHS | {"min_side": Limit(4, False), "max_aspect": Limit(90.0, True)}
    assert fitted_limits.fitted(loose, table({"short_side": 5.0}, {"aspect": 80.0})) == loose
    assert fitted_limits.fitted(PHOTOGRAPHS, table(*({"entropy": 1.0} for _ in range(3)))) == PHOTOGRAPHS


def test_the_order_of_the_pictures_has_no_say_though_some_lie_as_far_out() -> None:
    facts = table({"entropy": 0.01}, {"contrast": 1.0}, {"entropy": 0.01}, {"contrast": 1.0})
    fitted = fitted_limits.fitted(PHOTOGRAPHS, facts)
    assert {key for key, limit in fitted.items() if limit != PHOTOGRAPHS[key]} == {"min_contrast"}
    assert fitted_limits.fitted(PHOTOGRAPHS, facts.iloc[::-1]) == fitted
    assert fitted_limits.fitted(PHOTOGRAPHS, facts.sample(frac=1, random_state=5)) == fitted


def test_a_fitted_limit_is_no_looser_than_where_nothing_is_told() -> None:
    fitted = fitted_limits.fitted(PHOTOGRAPHS, table(*({"brightness": 254.45} for _ in range(30))))
    assert fitted["max_brightness"].value == 254.5


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.key)
def test_a_fitted_limit_lets_the_outermost_kept_picture_through(each: picture_limits.PictureLimit) -> None:
    between = (each.photographs * each.nothing) ** 0.5
    facts = table(*({each.column: between} for _ in range(30)))
    fitted = fitted_limits.fitted(PHOTOGRAPHS, facts)
    assert refused(fitted, facts) == []
    assert fitted[each.key].value == pytest.approx(between, rel=0.2)
