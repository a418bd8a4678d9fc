"""The columns that domains add to a row: every table has them all, null where another domain looked. Loads nothing."""

from collections.abc import Mapping

from irisline.core.params import Crop
from irisline.eyes import columns as eyes

COLUMNS: Mapping[str, str] = {**eyes.COLUMNS}  # their types, as Arrow calls them, by name
FOUND: Mapping[Crop, str] = {"eyes": eyes.FOUND}  # the one that counts what was sought, of domains that seek
