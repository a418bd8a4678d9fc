"""What the API is, told as OpenAPI 3.1 from the types of its documents. The page of BentoML and every client reads this."""

from functools import cache
from typing import Any

from pydantic.json_schema import models_json_schema

from irisline.core import class_names
from irisline.inference.identity import Identity
from service import bodies
from service.problems import MEDIA_TYPE
from service.schemas import Answer, Answers, Model, ProblemDetails

REFERENCE = "#/components/schemas/{model}"
BINARY = {"type": "string", "format": "binary"}
PROBLEMS = {
    "400": "not a picture that can be read, or not a request that can be understood",
    "401": "a key is wanted",
    "408": "the body did not arrive in time",
    "413": "the body is too large",
    "415": "neither a picture nor a form",
    "503": "too many wait; Retry-After says when to try again",
}


def document(identity: Identity, keys: bool) -> dict[str, Any]:
    """Return the description of the API as it serves this version, with or without keys."""
    classes = class_names.some(identity.classes)
    about = f"Answers which of {classes} a picture shows, how sure that is, and which version says so."
    return {
        "openapi": "3.1.0",
        "info": {"title": identity.name, "version": str(identity.version), "description": about},
        "paths": {
            "/predict": {"post": _predict()},
            "/predict_batch": {"post": _predict_batch()},
            "/model": {"get": _operation("model", "Which version is served, and where it comes from", Model, ("401",))},
        },
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
        "security": [{"bearer": []}, {"key": []}] if keys else [],
    }


def _predict() -> dict[str, Any]:
    explain = {
        "name": "explain", "in": "query", "required": False, "description": "add what the answer rests on",
        "schema": {"type": "boolean", "default": False},
    }  # fmt: skip
    contents = {kind: {"schema": BINARY} for kind in bodies.IMAGE_TYPES}
    contents[bodies.FORM_TYPE] = {"schema": _form("image", BINARY)}
    operation = _operation("predict", "Answer one picture", Answer, PROBLEMS)
    return {**operation, "parameters": [explain], "requestBody": {"required": True, "content": contents}}


def _predict_batch() -> dict[str, Any]:
    form = _form("images", {"type": "array", "items": BINARY, "minItems": 1})
    operation = _operation(
        "predict_batch", "Answer many pictures, each with its own answer or failure", Answers, PROBLEMS
    )
    return {**operation, "requestBody": {"required": True, "content": {bodies.FORM_TYPE: {"schema": form}}}}


def _operation(name: str, summary: str, model: type, problems: Any) -> dict[str, Any]:
    failures = {
        status: {
            "description": PROBLEMS[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": REFERENCE.format(model=ProblemDetails.__name__)}}},
        }
        for status in problems
    }
    told = {"application/json": {"schema": {"$ref": REFERENCE.format(model=model.__name__)}}}
    return {
        "operationId": name,
        "summary": summary,
        "responses": {"200": {"description": summary, "content": told}, **failures},
    }


def _form(field: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {field: schema}, "required": [field]}


@cache
def _schemas() -> dict[str, Any]:
    models: list[Any] = [(model, "serialization") for model in (Answer, Answers, Model, ProblemDetails)]
    _, definitions = models_json_schema(models, ref_template=REFERENCE)
    schemas: dict[str, Any] = definitions["$defs"]
    return schemas
