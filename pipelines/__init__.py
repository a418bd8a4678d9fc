"""Verbs: one file is one DVC stage is one short function. No logic lives here."""

from irisline import stage

stage.hasten()
