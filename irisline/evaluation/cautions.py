"""What is to be said of every model of this program, whatever its numbers: what it is for, what not, and how it fails.

Words only. What holds of eyes is said only of models that look at eyes.
"""

from collections.abc import Sequence

TAKE_DOWN = "`irisline take-down` removes a picture for good and names every version that was made from it."


def intended_use(of_eyes: bool) -> list[str]:
    """Return what a model is for, and what it must not be used for."""
    meant = (
        "To sort pictures where a person can look again and a mistake harms nobody; to learn how such a model is made."
    )
    if not of_eyes:
        return [meant, "**Not** for decisions about people, nor for pictures of anything but its classes."]
    return [
        meant,
        "**Not** to tell who someone is, or whether two pictures show one person.",
        "**Not** to infer ethnicity, origin, health, age or character: the colour of eyes is no evidence of any.",
        "**Not** for surveillance, nor for any decision about a person: access, work, insurance, police, medicine.",
    ]


def known_failures(of_eyes: bool, classes: Sequence[str]) -> list[str]:
    """Return what goes wrong with pictures that no test split has."""
    if not of_eyes:
        return [f"What is none of {', '.join(classes)} is called one of them."]
    return [
        f"An eye that is none of {', '.join(classes)} is called one of them, with less confidence, not always little enough.",
        "A dark disc on something light is taken for an eye about once in ten.",
        "Not told apart, and so not measured: rimless glasses, make-up, age, cameras.",
    ]


def ethics(of_eyes: bool) -> list[str]:
    """Return what is owed to the people in the pictures."""
    if not of_eyes:
        return [TAKE_DOWN]
    return [
        "Pictures of eyes are pictures of people: ask them, or take what they have published under a licence.",
        "Skin tone is measured as a colour, to find out for whom a model errs. It tells no origin.",
        TAKE_DOWN,
    ]
