"""What is to be said of every model that looks at whole pictures."""

from irisline.core.domain import CardText

CARD = CardText(
    looks_at="the whole picture",
    intended_use=("**Not** for decisions about people, nor for pictures of anything but its classes.",),
    known_failures=("What is none of {classes} is called one of them.",),
)
