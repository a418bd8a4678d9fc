"""Verbs: one file is one DVC stage is one short function. No logic lives here; what runs here changes no result."""

from irisline.core import stage

stage.collect_garbage_seldom()
