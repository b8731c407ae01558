"""The pages' routes. A form without the script sends empty fields: here empty means not asked."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from api.errors import STATUS
from api.pages.html import Html, tag
from api.pages.layout import Asked, frame
from api.pages.portrait import enterprise
from api.pages.reference import reference
from api.pages.start import start
from api.pages.words import Words
from api.query import StoreDep
from engine.schema.errors import PermuError

router = APIRouter(include_in_schema=False)
NAMES = ("release", "year", "policy", "industry", "region", "size", "group", "by", "q", "lang")


def asked_of(request: Request) -> Asked:
    """The page's parameters that hold something; names that the page does not know are left alone."""
    given = {k: v.strip() for k, v in request.query_params.items() if k in NAMES}
    asked: Asked = {k: v for k, v in given.items() if v}
    if asked.get("lang") != "en":
        asked.pop("lang", None)
    return asked


def render(asked: Asked, make: Callable[[Words], Html]) -> Response:
    """A page, or the page that says in the reader's language what is wrong and what to do."""
    words = Words("en" if asked.get("lang") else "zh")
    headers = {"Cache-Control": "private, no-cache"}
    try:
        return HTMLResponse(make(words), headers=headers)
    except PermuError as error:
        home = tag("p", tag("a", words["home"], href="/?lang=en" if asked.get("lang") else "/"))
        body = tag("section", tag("h1", words["error"]), tag("p", error.text(words.lang)), home, id="results")
        lang = {"lang": asked.get("lang")}
        return HTMLResponse(frame(words, "/", lang, words["error"], body), STATUS.get(error.code, 500), headers)


@router.get("/")
def start_page(request: Request, store: StoreDep) -> Response:
    """Top and bottom of a chosen industry, region and size."""
    asked = asked_of(request)

    def make(words: Words) -> Html:
        listed = store.choose(asked.get("release"), asked.get("year"), _policy(asked, store))
        return start(words, store, store.open(listed), asked)

    return render(asked, make)


def _policy(asked: Asked, store: StoreDep) -> str | None:
    """The policy asked; not where the year chosen was not ranked by it (the form then shows another)."""
    policy, year = asked.get("policy"), asked.get("year")
    if policy and year and not any(e.policy == policy and str(e.year) == year for e in store.index()):
        return None
    return policy


@router.get("/enterprises/{enterprise_id}")
def enterprise_page(request: Request, enterprise_id: str, store: StoreDep) -> Response:
    """One enterprise."""
    asked = asked_of(request)

    def make(words: Words) -> Html:
        opened = store.find(asked.get("release"), asked.get("year"), asked.get("policy"))
        return enterprise(words, opened, enterprise_id, asked)

    return render(asked, make)


@router.get("/docs")
def docs_page(request: Request) -> Response:
    """The API, readable."""
    asked = asked_of(request)
    return render(asked, lambda words: reference(words, request.app.openapi(), asked))
