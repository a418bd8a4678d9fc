"""What is to be said of every model that looks at eyes, whatever its numbers: what it is for, what not, and how it fails."""

from irisline.core.domain import CardText

CARD = CardText(
    looks_at="a square around each eye",
    intended_use=(
        "**Not** to tell who someone is, or whether two pictures show one person.",
        "**Not** to infer ethnicity, origin, health, age or character: the colour of eyes is no evidence of any.",
        "**Not** for surveillance, nor for any decision about a person: access, work, insurance, police, medicine.",
    ),
    known_failures=(
        "An eye that is none of {classes} is called one of them, with less confidence, not always little enough.",
        "A dark disc on something light is taken for an eye about once in ten.",
        "Not told apart, and so not measured: rimless glasses, make-up, age, cameras.",
    ),
    ethics=(
        "Pictures of eyes are pictures of people: ask them, or take what they have published under a licence.",
        "Skin tone is measured as a colour, to find out for whom a model errs. It tells no origin.",
    ),
)
