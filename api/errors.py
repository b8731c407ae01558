"""Every failure as RFC 9457 problem+json, by one table from stable codes to statuses."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from engine.schema.errors import PermuError

STATUS = {
    "bad_parameter": 400,
    "bad_body": 400,
    "bad_request": 400,
    "unknown_parameter": 400,
    "repeated_parameter": 400,
    "bad_host": 400,
    "too_many_rows": 400,
    "cell_too_long": 400,
    "nobody": 400,
    "too_few_members": 403,
    "bad_targets": 500,
    "unauthorized": 401,
    "forbidden": 403,
    "too_many_requests": 429,
    "unknown_release": 404,
    "no_release": 404,
    "unknown_enterprise": 404,
    "unknown_policy": 404,
    "unknown_layer": 404,
    "unknown_feature": 404,
    "no_layer": 404,
    "cannot_prepare": 503,
    "no_tile": 404,
    "not_found": 404,
    "method_not_allowed": 405,
    "unknown_item": 404,
    "unknown_parcel": 404,
    "no_refused_rows": 404,
    "no_merge": 404,
    "no_data_for_year": 404,
    "which_enterprise": 400,
    "only_settled": 400,
    "no_reason": 400,
    "no_code": 400,
    "bad_change": 400,
    "bad_policy": 400,
    "weights_not_100": 400,
    "no_composite": 400,
    "figure_too_large": 400,
    "not_json": 415,
    "bad_range": 400,
    "range_beyond": 416,
    "wrong_state": 409,
    "already_final": 409,
    "stale_merge": 409,
    "no_base_year": 409,
    "base_gone": 409,
    "warehouse_busy": 409,
    "ledger_busy": 503,
    "audit_unavailable": 503,
    "ledger_damaged": 503,
    "provider_unreachable": 503,
    "release_gone": 503,
    "no_warehouse": 503,
    "not_ready": 503,
    "page_not_built": 503,
    "no_font": 503,
}
# What the framework itself answers, by status.
_PLAIN = {
    400: ("bad_body", "请求体无法解析"),
    404: ("not_found", "没有此地址"),
    405: ("method_not_allowed", "此地址不支持该方法"),
}
INTERNAL = PermuError(
    "internal",
    "the server failed on this request; the log of the server holds the cause",
    "服务器处理此请求时出错，原因见服务器日志",
)


def problem(error: PermuError, instance: str = "") -> Response:
    """The answer for an error: status by its code, detail in English and Chinese, which parameter, what is allowed."""
    status = STATUS.get(error.code, 500)
    body: dict[str, Any] = {
        "type": f"urn:permu:problem:{error.code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": error.code,
        "detail": error.en,
        "detail_zh": error.zh,
        "instance": instance,
    }
    body |= {k: v for k, v in error.details.items() if k in ("parameter", "allowed", "rule")}
    headers = {"Cache-Control": "no-store"} | ({"Retry-After": "5"} if status == 503 else {})
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="permu", charset="UTF-8", Bearer realm="permu"'
    if status == 429:
        headers["Retry-After"] = str(error.details.get("wait", 1))
    return Response(orjson.dumps(body, default=str), status, headers, "application/problem+json")


def parameters_of(request: Request) -> list[str]:
    """The query parameters that the matched route declares."""
    declared = request.scope["route"].dependant.query_params
    models = [p.field_info.annotation for p in declared]
    return [name for m in models for name in getattr(m, "model_fields", {})]


def unknown_parameter(request: Request, name: str) -> PermuError:
    """``unknown_parameter`` with the names that this route allows."""
    allowed = ", ".join(parameters_of(request)) or "none"
    return PermuError(
        "unknown_parameter",
        f"unknown parameter {name[:60]!r}: allowed here: {allowed}",
        f"未知参数 {name[:60]!r}：此处可用参数：{allowed}",
        parameter=name[:60],
        allowed=allowed,
    )


def install(app: FastAPI) -> None:
    """Answer every kind of failure as a problem."""

    @app.exception_handler(PermuError)
    def expected(request: Request, error: PermuError) -> Response:
        return problem(error, request.url.path)

    @app.exception_handler(RequestValidationError)
    def malformed(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        name = str(first["loc"][-1])
        if first["type"] == "extra_forbidden":
            return problem(unknown_parameter(request, name), request.url.path)
        en, zh = f"{name}: {first['msg']}", f"{name}：取值不合要求（{first['msg']}）"
        return problem(PermuError("bad_parameter", en, zh, parameter=name), request.url.path)

    @app.exception_handler(HTTPException)
    def plain(request: Request, error: HTTPException) -> Response:
        code, zh = _PLAIN.get(error.status_code, ("internal", "请求未能完成"))
        asked = f"{request.method} {request.url.path[:200]}"
        en, zh = f"{asked}: {error.detail}; see /docs for what there is", f"{asked}：{zh}；可用接口见 /docs"
        answer = problem(PermuError(code, en, zh), request.url.path)
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    def unexpected(request: Request, error: Exception) -> Response:
        return problem(INTERNAL, request.url.path)
