"""The one place where something that went wrong becomes an HTTP answer: {error, message, hint}.

mistake in a request     ValueError, pydantic        422    says where and what is allowed
no such thing            LookupError                 404
does not fit the state   Conflict                    409
too long                 PromptTooLong               413    says the limit and what was given
full queue, no memory    QueueFull, out of memory    503    says what to do
anything else            a bug of ours               500
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from activation_server.schemas import MAX_TEXT, ErrorResponse

logger = logging.getLogger(__name__)

API_HINT = "GET /api/openapi.json describes every route."
REQUEST_HINT = "Change the request as the message says."
SHORTEN_HINT = "Shorten the text, or serve with more --memory."
TOO_LONG_HINT = "Shorten the text. GET /api/model says how much the model reads."


class ApiError(Exception):
    """An answer that is an error."""

    status = 500
    error = "internal_error"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class BadRequest(ApiError):
    """What was asked cannot be done. `where` is the field, as in cases[1].target_tokens[0]."""

    status = 422
    error = "invalid_request"

    def __init__(self, message: str, hint: str = "", *, where: str = "") -> None:
        super().__init__(f"{where}: {message}" if where else message, hint)


class NotFound(ApiError):
    status = 404
    error = "not_found"


class Conflict(ApiError):
    """What was asked does not fit the state that something is in."""

    status = 409
    error = "conflict"


class TooLong(ApiError):
    status = 413
    error = "too_long"

    def __init__(self, message: str, hint: str = "", *, where: str = "") -> None:
        super().__init__(f"{where}: {message}" if where else message, hint)


class QueueFull(ApiError):
    status = 503
    error = "busy"


class OutOfMemory(ApiError):
    status = 503
    error = "out_of_memory"


class NotAllowed(ApiError):
    status = 403
    error = "forbidden"


class NoToken(ApiError):
    status = 401
    error = "unauthorized"


def as_api_error(problem: BaseException) -> ApiError:
    """What to answer when `problem` was raised; unknown problems are ours, hence logged."""
    if isinstance(problem, ApiError):
        return problem
    name = type(problem).__name__
    text = str(problem.args[0]) if problem.args else str(problem)
    message, hint = getattr(problem, "message", text), getattr(problem, "hint", "")
    if name == "PromptTooLong":
        return TooLong(message, hint or SHORTEN_HINT)
    if isinstance(problem, MemoryError) or name == "OutOfMemoryError" or _allocation(problem):
        return OutOfMemory(
            "The model ran out of memory on this request.",
            "Shorten the prompt, ask for fewer cases, or use a smaller model or --dtype bfloat16.",
        )
    if isinstance(problem, ValueError):
        return BadRequest(message, hint or REQUEST_HINT)
    if isinstance(problem, LookupError) and not isinstance(problem, KeyError | IndexError):
        return NotFound(message, hint or REQUEST_HINT)
    logger.error("a request failed", exc_info=problem)
    return ApiError(
        f"The server failed on this request ({name}). This is a bug.",
        "The server's log holds the details; please report it with the request.",
    )


def callers_mistake(problem: BaseException) -> ApiError | None:
    """What a command says when it was asked for something wrong; None: the fault is ours."""
    if isinstance(problem, ApiError):
        return problem
    if isinstance(problem, OSError):
        return ApiError(str(problem))
    if isinstance(problem, ValueError | LookupError | MemoryError):
        return None if isinstance(problem, KeyError | IndexError) else as_api_error(problem)
    return None


def _allocation(problem: BaseException) -> bool:
    """Whether torch failed to allocate on the CPU, which it reports as a plain RuntimeError."""
    return isinstance(problem, RuntimeError) and "can't allocate memory" in str(problem)


def error_response(error: ApiError) -> JSONResponse:
    """The error as JSON with its status."""
    return JSONResponse(error_body(error), status_code=error.status)


def error_body(error: ApiError) -> dict[str, str]:
    """The error's fields; text that is not valid Unicode is replaced rather than refused."""
    body = ErrorResponse(
        error=error.error, message=_printable(error.message), hint=_printable(error.hint)
    )
    return body.model_dump()


def install_error_handlers(app: FastAPI) -> None:
    """Give every error of the application the one shape."""

    def failed(_: Request, problem: Exception) -> JSONResponse:
        return error_response(as_api_error(problem))

    for kind in (ApiError, ValueError, LookupError, MemoryError, Exception):
        app.add_exception_handler(kind, failed)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def _invalid(_: Request, problem: Exception) -> JSONResponse:
    assert isinstance(problem, RequestValidationError)
    return error_response(validation_error(problem.errors()))


# Pydantic's own type for one of its errors is a plain dictionary of anything.
def validation_error(errors: Sequence[Mapping[str, Any]]) -> ApiError:
    """The first of pydantic's complaints: the field, what was given, what is allowed."""
    first = errors[0]
    where, allowed = _field_path(first["loc"]), str(first["msg"])
    more = f" ({len(errors) - 1} more fields are wrong.)" if len(errors) > 1 else ""
    context = first.get("ctx") or {}
    if first["type"] == "json_invalid":
        return BadRequest(f"The body is not JSON: {context.get('error', allowed)}.", "Send JSON.")
    if first["type"] == "string_too_long" and context.get("max_length") == MAX_TEXT:
        return TooLong(
            f"The text has {len(first['input']):,} characters, more than {MAX_TEXT:,}.",
            TOO_LONG_HINT,
            where=where,
        )
    if first["type"] == "missing":
        return BadRequest(f"This field is required.{more}", API_HINT, where=where)
    if first["type"] == "model_attributes_type" and where == "body":
        return BadRequest(
            "The body must be a JSON object sent as application/json.", API_HINT, where=where
        )
    return BadRequest(f"{shortened(first.get('input'))} was given.{more}", allowed, where=where)


def _field_path(location: Sequence[str | int]) -> str:
    """("body", "cases", 0, "ablate", "value") as cases[0].value: union tags are no fields."""
    tags = {"ablate", "set", "scale", "patch", "steer"}
    tags |= {"collate", "train_sae", "eval_sae", "explain"}
    path = ""
    for part in location[1:] or location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part not in tags and not part.startswith(("function-", "tuple[")):
            path += f".{part}" if path else part
    return path or "body"


def shortened(given: object, limit: int = 60) -> str:
    """What was given, for a message, cut to a readable length."""
    text = repr(given if not isinstance(given, str) else given[: limit + 1])
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _http(request: Request, problem: Exception) -> JSONResponse:
    assert isinstance(problem, HTTPException)
    error = ApiError(str(problem.detail), API_HINT)
    error.status, error.error = problem.status_code, "http_error"
    match problem.status_code:
        case 400:
            error = BadRequest("The body could not be read as JSON.", "Send JSON, not too deep.")
        case 404:
            error = NotFound(f"There is nothing at {request.url.path[:200]}.", API_HINT)
        case 405:
            error.error = "method_not_allowed"
            error.message = f"{request.method} is not possible at {request.url.path[:200]}."
        case 413:
            error = TooLong(str(problem.detail), TOO_LONG_HINT)
    response = error_response(error)
    response.headers.update(problem.headers or {})
    return response
