"""Judges the data contract with Great Expectations: two suites, one checkpoint, Data Docs in a folder.

The only importer of great_expectations, and only when something is judged, for it takes seconds to load.
"""

import html
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any

import pandas as pd

from irisline.core.params import Params
from irisline.validation import data_contract
from irisline.validation.data_contract import Expectation
from irisline.validation.picture_limits import Limit

IMAGES, POOL = "images", "pool"  # the suites: every row of the table, and the table as a whole
_SITE = "the data contract"
_COMPLETE = {"result_format": "COMPLETE", "unexpected_index_column_names": ["id"]}


@dataclass(frozen=True)
class Failure:
    """One expectation that one row failed."""

    id: str
    label: str
    expectation: str
    column: str
    value: str
    limit: str


@dataclass(frozen=True)
class Broken:
    """One expectation that the table as a whole failed; what was observed, when it is a number."""

    expectation: Expectation
    observed: float | None


class Judge:
    """Both suites in one checkpoint of a context that lives in memory; its Data Docs go to a folder."""

    def __init__(self, params: Params, limits: Mapping[str, Limit], docs: Path) -> None:
        self.of_images, self.of_pool = data_contract.of_images(params, limits), data_contract.of_pool(params)
        context = _context(docs)
        assets = context.data_sources.add_pandas("irisline")
        batch = assets.add_dataframe_asset("images").add_batch_definition_whole_dataframe("all")
        self._images = _validation(context, batch, IMAGES, self.of_images)
        self._checkpoint = _checkpoint(context, [self._images, _validation(context, batch, POOL, self.of_pool)])

    @property
    def meant(self) -> int:
        """The number of expectations in both suites."""
        return len(self.of_images) + len(self.of_pool)

    def failures(self, table: pd.DataFrame) -> list[Failure]:
        """Return what each row of a data_contract.with_shared_pixels table failed, by row, in the order of the contract."""
        result = self._images.run(batch_parameters={"dataframe": _escaped(table)}, result_format=_COMPLETE)
        found = _by_name([result], len(self.of_images))
        labels = dict(zip(table["id"], table["label"], strict=True))
        failures = [
            Failure(name, labels[name], line.name, line.column, _text(cell[line.column]), line.limit)
            for line in self.of_images
            for cell in found[line.name]["result"].get("unexpected_index_list") or []
            for name in [html.unescape(cell["id"])]
        ]
        place = {name: number for number, name in enumerate(labels)}
        return sorted(failures, key=lambda failure: place[failure.id])

    def broken(self, table: pd.DataFrame) -> list[Broken]:
        """Run the checkpoint over a data_contract.with_outcome table, write the Data Docs, give what the table failed."""
        run = self._checkpoint.run(batch_parameters={"dataframe": _escaped(table)}, run_id=_run_id())
        found = _by_name(list(run.run_results.values()), self.meant)
        return [
            Broken(line, _number(found[line.name]["result"].get("observed_value")))
            for line in self.of_pool
            if not found[line.name]["success"]
        ]


def _context(docs: Path) -> Any:
    import great_expectations as gx

    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    context: Any = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    for site in list(context.variables.data_docs_sites or {}):
        context.delete_data_docs_site(site)
    store = {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(docs.resolve())}
    index = {"class_name": "DefaultSiteIndexBuilder"}
    site_config = {"class_name": "SiteBuilder", "site_index_builder": index, "store_backend": store}
    context.add_data_docs_site(site_name=_SITE, site_config=site_config | {"show_how_to_buttons": False})
    return context


def _validation(context: Any, batch: Any, name: str, lines: Sequence[Expectation]) -> Any:
    import great_expectations as gx

    configured = [
        {
            "type": line.type,
            "kwargs": {name: _as_found(value) for name, value in line.kwargs.items()} | _condition(line),
            "description": html.escape(line.sentence),
            "meta": {"name": line.name},
        }
        for line in lines
    ]
    suite = context.suites.add(gx.ExpectationSuite(name=name, expectations=configured))
    return context.validation_definitions.add(gx.ValidationDefinition(name=name, data=batch, suite=suite))


def _condition(line: Expectation) -> dict[str, Any]:
    from great_expectations.expectations.row_conditions import AndCondition, Column, Condition

    parts: list[Condition] = [
        Column(column).is_not_null() if value == data_contract.ANY else Column(column) == html.escape(value)
        for column, value in line.where.items()
    ]
    return {"row_condition": AndCondition(conditions=parts)} if parts else {}


def _checkpoint(context: Any, validations: list[Any]) -> Any:
    import great_expectations as gx
    from great_expectations.checkpoint.actions import UpdateDataDocsAction, ValidationAction

    actions: list[ValidationAction] = [UpdateDataDocsAction(name="docs", site_names=[_SITE])]
    return context.checkpoints.add(
        gx.Checkpoint(name="contract", validation_definitions=validations, actions=actions, result_format=_COMPLETE)
    )


def _escaped(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose words are safe in HTML: Great Expectations writes what it found into its pages as it is."""
    words = table.select_dtypes(exclude=["number", "bool"])
    return table.assign(**{str(name): words[name].map(_word) for name in words})


def _word(value: Any) -> Any:
    return html.escape(value) if isinstance(value, str) else value


def _as_found(value: Any) -> Any:
    """Return what a limit is compared with as such a table has it."""
    return [html.escape(each) for each in value] if isinstance(value, list) else value


def _run_id() -> Any:
    import great_expectations as gx

    return gx.RunIdentifier(run_name="validate")


def _by_name(results: list[Any], meant: int) -> dict[str, Any]:
    """Return each expectation's result; one that could not be loaded or evaluated must never pass for met."""
    found = {one.expectation_config.meta["name"]: one for result in results for one in result.results}
    evaluated = sum(result.statistics["evaluated_expectations"] for result in results)
    failed = [name for name, one in found.items() if not one.result]  # an exception leaves no result behind
    if not evaluated == len(found) == meant or failed:
        raise RuntimeError(f"{evaluated} expectations evaluated, {meant} meant; could not be evaluated: {failed}")
    return found


def _number(observed: object) -> float | None:
    return float(observed) if isinstance(observed, Real) else None


def _text(value: str | float | None) -> str:
    if pd.isna(value):
        return ""
    return f"{value:.6g}" if isinstance(value, float) else html.unescape(str(value))
