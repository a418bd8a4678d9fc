"""The projects that irisline new can make without a person's pictures: the repository's own, by the name of its domain."""

BUNDLED = ("eyes",)
