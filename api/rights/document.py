"""docs/rights.md, made from the rules: ``python -m api.rights.document > docs/rights.md``."""

from __future__ import annotations

from collections.abc import Iterator

from api.rights.routes import OPEN, PERSON, RULES, Rule
from api.rights.rules import ACTIONS, LARGEST_SHARE, LEAST_GROUP, SWITCHES
from engine.schema.columns import BESIDE, COLUMNS, ROLES, Column

_ROLES = {
    "land_bureau": "all figures in its region; drafts; the desk: review, corrections, publishing",
    "regulator": "all figures (of its region, where the user has one); files of bottom lists; drafts; what-if",
    "gis": "layers and rankings with rank, grade and land; no tax or sales figure, nothing they can be computed from; drafts",
    "enterprise": "its own row, explanation, check-up sheet and parcels, and its place among the others; published releases",
    "public": "names and grades of published releases, and group figures",
}


def _intro() -> Iterator[str]:
    yield from (
        "# Who may see and do what",
        "",
        "Written by `python -m api.rights.document` from the rules that the server itself asks; one rule set serves JSON,",
        "files, layers, the OGC API and tiles. Rights = role × region × column × source of the figure. A denial is 403 and",
        "names its rule (`rule` in the problem); a release that is not for the viewer does not exist for them (404).",
        "",
        "| role | sees |",
        "|---|---|",
        *(f"| `{name}` | {words} |" for name, words in _ROLES.items()),
        "",
        "While there are no users, `permu serve` answers this machine only and everybody is the local administrator, who",
        "sees all. From the first `permu users add NAME --role ROLE --region CODE [--enterprise ID]` on a key is needed;",
        "`permu users list|disable|rotate|switch` keep them. Keys are 256 random bits, shown once, kept as SHA-256; an end",
        "(`--expires`) is possible; a disabled key stops within a second. Running it for others: [deploy.md](deploy.md).",
    )


def _mark(may: bool) -> str:
    return "yes" if may else ""


def _actions() -> Iterator[str]:
    yield from (
        "",
        "## Actions",
        "",
        f"| rule | {' | '.join(ROLES)} | in words | 规则 |",
        "|---" * (len(ROLES) + 3) + "|",
    )
    for a in ACTIONS.values():
        cells = [f"`{a.switch}`" if r in a.also else _mark(r in a.roles) for r in ROLES]
        yield f"| `{a.name}` | {' | '.join(cells)} | {a.en} | {a.zh} |"
    yield from (
        "",
        "A name of a switch in place of `yes`: only while that switch is on. Further rules that a denial may name: `region`",
        "(a region outside the viewer's), `column` (ordering or filtering by a figure that is hidden), `groups` (`q` in group",
        "figures of those who see no single firm), `origin` (a change asked for by another site), `claims` (a token without a",
        "usable role), `statistics_figures` (the switch below).",
    )


def _switches() -> Iterator[str]:
    yield from ("", "## Switches", "", "`permu users switch NAME on|off`, at once also in running servers.", "")
    yield from ("| switch | default | in words | 含义 |", "|---|---|---|---|")
    yield from (f"| `{s.name}` | {'on' if s.default else 'off'} | {s.en} | {s.zh} |" for s in SWITCHES.values())


def _columns() -> Iterator[str]:
    yield from (
        "",
        "## Columns",
        "",
        f"| column | {' | '.join(ROLES)} | rests on statistics |",
        "|---" * (len(ROLES) + 2) + "|",
    )
    for c in (*COLUMNS.values(), *BESIDE.values()):
        yield _column(c)
    yield from (
        "",
        "Ranks (`rank__…`, `rank_…`, `ranks`) are as `rank`; bases and points (`base__…`, `item__…`) and every column that the",
        "dictionary does not name are figures. A region limits the rows to enterprises whose `region_code` begins with it: where",
        "no region is asked the user's own is taken, so that rank and `of` are counted within it. The median of a group that",
        "reaches beyond a viewer's own rows goes out with three significant digits: it may be one firm's figure.",
    )


def _column(c: Column) -> str:
    cells = " | ".join(_mark(r in c.roles) for r in ROLES)
    return f"| `{c.name}` | {cells} | {_mark(c.from_statistics)} |"


def _groups() -> Iterator[str]:
    most, whole = LARGEST_SHARE
    yield from (
        "",
        "## Group figures of the public and of enterprises",
        "",
        f"Only groups of at least {LEAST_GROUP} firms in which none holds more than {most * 100 // whole} % of the land, the output or the tax;",
        f"a metric's Σ/Σ only where that holds for both of its sums and {LEAST_GROUP} firms have a value; no means and no quantiles. Where one",
        "group of an answer is withheld, the smallest other one is withheld too: the total would give it away. Counts of",
        f"industries, regions and sizes below {LEAST_GROUP} are null. Differences between overlapping questions can still tell more than each",
        "of them: the bureau decides by the switch `anonymous_public` whether everybody may ask.",
        "The public's rankings are ordered by grade, then id; `of` is null: an order by a hidden figure would tell it.",
    )


def _routes() -> Iterator[str]:
    yield from (
        "",
        "## Addresses",
        "",
        "The first line that fits counts; an address without a line is 404 to all users.",
        "",
    )
    yield from ("| address | rule | for changes | audit log |", "|---|---|---|---|")
    yield from (f"| `{r.pattern}` | {_rule(r)} | {r.write and f'`{r.write}`'} | {r.audit} |" for r in RULES)


def _rule(rule: Rule) -> str:
    return {OPEN: "nobody needs a key", PERSON: "any known viewer"}.get(rule.action, f"`{rule.action}`")


def document() -> str:
    """The page."""
    parts = (_intro(), _actions(), _switches(), _columns(), _groups(), _routes())
    return "\n".join(line for part in parts for line in part) + "\n"


if __name__ == "__main__":
    print(document(), end="")
