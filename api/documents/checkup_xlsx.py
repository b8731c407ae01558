"""The check-up sheet as a spreadsheet that computes: from facts (entered figures, blue) to amounts, indicators, points,
total and grade (formulas, black), beside what the release holds."""

from __future__ import annotations

import io
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from api.documents import formulas
from api.documents.checkup import Amount, CheckUp, Counted, Scored
from api.exports.provenance import Provenance
from engine.explain.telling import exact
from engine.schema.codes import industry_name, region_name
from engine.schema.columns import GRADES, SCALE_GROUPS, SIZES

WIDTHS = (28, 21, 17, 17, 13, 15, 80)
SAME = 1e-9  # a score differs from the release's by no more
_STYLES: dict[str, dict[str, Any]] = {
    "title": {"bold": True, "font_size": 16, "align": "center", "valign": "vcenter"},
    "sub": {"font_color": "#555555", "align": "center"},
    "section": {"bold": True, "font_size": 12, "bg_color": "#DCE5EE", "border": 1, "border_color": "#9AA7B3"},
    "head": {"bold": True, "bg_color": "#EEF1F4", "align": "center", "text_wrap": True, "valign": "vcenter"},
    "text": {"text_wrap": True, "num_format": "@", "indent": 1},
    "label": {"text_wrap": True, "num_format": "@", "indent": 1, "bg_color": "#F7F9FA"},
    "given": {"num_format": "#,##0.0000", "font_color": "#1F4E9E"},
    "whole": {"num_format": "#,##0", "font_color": "#1F4E9E"},
    "made": {"num_format": "#,##0.0000"},
    "made_whole": {"num_format": "#,##0"},
    "strong": {"num_format": "#,##0.0000", "bold": True, "bg_color": "#FFF6DC"},
    "grade": {"bold": True, "align": "center", "bg_color": "#FFF6DC"},
    "check": {"bold": True, "align": "center"},
}
_BORDERED = ("head", "text", "label", "given", "whole", "made", "made_whole", "strong", "grade", "check")


class _Sheet:
    """A worksheet that is written from the top down; rows are 1-based in ``cell`` as a formula names them."""

    def __init__(self, book: xlsxwriter.Workbook, page: Worksheet, zh: bool) -> None:
        line = {"border": 1, "border_color": "#C3CBD3", "valign": "vcenter"}
        self.styles: dict[str, Format] = {
            n: book.add_format({**(line if n in _BORDERED else {}), **s}) for n, s in _STYLES.items()
        }
        self.page, self.zh, self.at = page, zh, 0
        for place, width in enumerate(WIDTHS):
            page.set_column(place, place, width)

    def say(self, zh: str, en: str) -> str:
        return zh if self.zh else en

    def cell(self, column: str) -> str:
        """The cell of the current row in a column, as a formula names it."""
        return f"{column}{self.at + 1}"

    def across(self, text: str, style: str, height: float | None = None) -> None:
        """A line over the whole width."""
        self.page.merge_range(self.at, 0, self.at, len(WIDTHS) - 1, text, self.styles[style])
        if height:
            self.page.set_row(self.at, height)
        self.at += 1

    def row(self, *cells: tuple[Any, str] | tuple[Any, str, Any]) -> None:
        """Cells from column A on: (value, style), or (formula, style, what it gives); None is an empty cell."""
        for place, (value, style, *cached) in enumerate(cells):
            form = self.styles[style]
            if value is None or value == "":
                self.page.write_blank(self.at, place, None, form)
            elif cached:
                self.page.write_formula(self.at, place, value, form, "" if cached[0] is None else cached[0])
            elif isinstance(value, str):
                self.page.write_string(self.at, place, value, form)
            else:
                self.page.write_number(self.at, place, value, form)
        long = max((_width(str(v)) for v, style, *_ in cells[6:] if style == "text"), default=0)
        self.page.set_row(self.at, 15 * max(1, -(-long // (WIDTHS[6] - 4))))
        self.at += 1

    def head(self, *titles: str) -> None:
        self.row(*((t, "head") for t in titles))


def _width(text: str) -> int:
    """In the width of a digit: a Chinese character takes two."""
    return sum(2 if ord(c) > 0x2E7F else 1 for c in text)


def workbook(found: CheckUp, origin: Provenance, notes: list[tuple[str, str]]) -> bytes:
    """The workbook: the sheet that computes, and a sheet of notes on where it comes from."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    zh = found.told.zh
    page = book.add_worksheet("体检表" if zh else "Check-up")
    sheet = _Sheet(book, page, zh)
    _heading(sheet, found, origin)
    cells = _facts(sheet, found)
    _amounts(sheet, found, cells)
    values = _indicators(sheet, found, cells)
    if found.scored:
        _score(sheet, found, values)
    _ranks(sheet, found)
    sheet.page.write_string(sheet.at + 1, 0, sheet.say("蓝色为录入数据，黑色为公式。改动蓝色单元格即可重新计算；空白表示没有数据，不是零。", "Blue is entered, black is computed: change a blue cell and the sheet computes anew. Empty means no data, which is not zero."))  # fmt: skip
    _paper(page)
    _notes(book, notes, zh)
    book.close()
    return out.getvalue()


def _heading(sheet: _Sheet, found: CheckUp, origin: Provenance) -> None:
    row, say = found.row, sheet.say
    label = say("【合成演示数据，非真实企业】", "[synthetic demonstration data] ") if origin.synthetic else ""
    title = say(
        f"{origin.year}年工业企业资源集约利用体检表", f"Check-up sheet of an industrial enterprise, {origin.year}"
    )
    sheet.across(title, "title", 30)
    lang = "zh" if sheet.zh else "en"
    sheet.across(f"{label}{origin.policy_name(lang)} · {origin.release_id} · {origin.state_name(lang)}", "sub")
    pick = 0 if sheet.zh else 1
    size, scale = SIZES.get(row["size"] or "", ("–", "–")), SCALE_GROUPS.get(row["scale_group"] or "", ("–", "–"))
    lines = [
        (say("企业名称", "Enterprise"), row["name"], say("统一社会信用代码", "Credit code"), row["uscc"]),
        (say("行业", "Industry"), _named(row["industry_code"], industry_name), say("企业编号", "Enterprise id"), row["enterprise_id"]),
        (say("地区", "Region"), _named(row["region_code"], region_name), say("规模", "Size"), f"{size[pick]} · {scale[pick]}"),
    ]  # fmt: skip
    for name, value, other, second in lines:
        sheet.page.write_string(sheet.at, 0, name, sheet.styles["label"])
        sheet.page.merge_range(sheet.at, 1, sheet.at, 3, value or "–", sheet.styles["text"])
        sheet.page.merge_range(sheet.at, 4, sheet.at, 5, other, sheet.styles["label"])
        sheet.page.write_string(sheet.at, 6, second or "–", sheet.styles["text"])
        sheet.at += 1
    sheet.at += 1


def _named(code: str | None, name: Any) -> str:
    return " ".join(x for x in (code, name(code)) if x) if code else "–"


def _facts(sheet: _Sheet, found: CheckUp) -> dict[str, str]:
    """The facts as the departments stated them; name → cell of the exact value."""
    say, cells = sheet.say, {}
    sheet.across(say("一、采用的数据（最小单位整数）", "1. Facts (whole numbers of the smallest unit)"), "section")
    sheet.head(say("数据", "Fact"), say("数值", "Value"), say("最小单位", "Smallest unit"), say("折合", "That is"),
               say("单位", "Unit"), say("取数", "How"), say("来源", "Source"))  # fmt: skip
    for fact in found.facts:
        cells[fact.name] = sheet.cell("B")
        sheet.row((fact.title, "label"), (fact.value, "whole"), (_smallest(fact.name, sheet), "text"),
                  *_shown(sheet, fact), (fact.how, "text"), (fact.note or say("没有数据", "no data"), "text"))  # fmt: skip
    return cells


def _shown(sheet: _Sheet, one: Amount) -> list[tuple[Any, ...]]:
    """The value in the unit that people read."""
    if not one.unit:
        return [(None, "made"), ("", "text")]
    own = sheet.cell("B")
    value = None if one.value is None else one.value * one.times / one.by
    times = f"{own}*{one.times}" if one.times != 1 else own
    return [(f'=IF(ISNUMBER({own}),{times}/{one.by},"")', "made", value), (one.unit, "text")]


_UNITS = {
    "fen": ("分", "fen"), "dm2_days": ("平方分米·天", "dm² × days"), "wh": ("瓦时", "Wh"), "litre": ("升", "litre"),
    "gram": ("克", "gram"), "ce": ("0.1 毫克标准煤", "0.1 mg of coal eq."), "ppb": ("十亿分之一", "ppb"), "tce": ("", ""),
}  # fmt: skip


def _smallest(name: str, sheet: _Sheet) -> str:
    found = next((u for end, u in _UNITS.items() if name.endswith(f"_{end}")), ("", ""))
    return sheet.say(*found)


def _amounts(sheet: _Sheet, found: CheckUp, cells: dict[str, str]) -> None:
    """The policy's amounts as formulas over the facts; each may read those above it."""
    say = sheet.say
    sheet.across(say("二、办法口径（由数据计算）", "2. Amounts as the policy defines them"), "section")
    sheet.head(say("口径", "Amount"), say("数值", "Value"), say("单位", "Unit"), say("折合", "That is"), say("单位", "Unit"),
               "", say("公式（办法原文）", "Formula as in the pack"))  # fmt: skip
    for one in found.amounts:
        text = formulas.amount(one.formula or "", cells)
        merged = found.told.policy.tenants.rule in ("merged", "both")
        made = (one.value, "whole") if merged or len(text) > formulas.LONGEST else (text, "made_whole", one.value)
        unit = _smallest(one.name, sheet)
        shown = _shown(sheet, one)
        cells[one.name] = sheet.cell("B")
        sheet.row(
            (one.title, "label"), made, (unit, "text"), *shown, ("", "text"), (f"{one.name} = {one.note}", "text")
        )


def _indicators(sheet: _Sheet, found: CheckUp, cells: dict[str, str]) -> dict[str, str]:
    """The indicators, one division each; name → cell."""
    say, values, told = sheet.say, {}, found.told
    sheet.across(say("三、指标", "3. Indicators"), "section")
    sheet.head(say("指标", "Indicator"), say("数值", "Value"), say("单位", "Unit"), "", "", "", say("算法", "How"))
    for one, value in found.indicators:
        values[one.name] = sheet.cell("B")
        how = f"{one.numerator} ÷ {one.denominator}"
        sheet.row((told.title(one.name), "label"), (formulas.quotient(one, told.days, cells), "strong", value),
                  (told.unit(one.unit), "text"), *(("", "text"),) * 3, (how, "text"))  # fmt: skip
    return values


def _score(sheet: _Sheet, found: CheckUp, values: dict[str, str]) -> None:
    say = sheet.say
    sheet.across(say("四、得分", "4. Score"), "section")
    sheet.head(say("指标", "Item"), say("企业值", "Value"), say("基准值（最低值）", "Base (lowest)"), say("最高值", "Highest"),
               say("权重", "Weight"), say("得分", "Points"), say("计分方式", "How"))  # fmt: skip
    cells = {one.name: _item(sheet, one, values[one.name]) for one in found.items}
    items = sheet.cell("F")
    text = formulas.total({i.name: i.item for i in found.items}, cells)
    _line(sheet, say("各项得分之和", "Sum of the items"), text, found.row.get("score_items"), "")
    worth = {kind: _extra(sheet, found, kind, items) for kind in ("bonus", "deduction")}
    total = sheet.cell("F")
    score = found.told.policy.score
    digits = score.rounding_digits if score else None
    told = say(
        f"四舍五入至小数点后 {10 if digits is None else digits} 位",
        f"rounded half up to {10 if digits is None else digits} digits",
    )
    _line(
        sheet,
        say("综合得分", "Score"),
        formulas.score(items, worth["bonus"], worth["deduction"], digits),
        found.row["score"],
        told,
    )
    released = sheet.cell("F")
    sheet.row(
        (say("发布得分", "Score of the release"), "label"),
        *(("", "text"),) * 4,
        (found.row["score"], "given"),
        (found.told.release.id, "text"),
    )
    same = f'=IF(ABS({total}-{released})<{SAME},"{say("一致", "the same")}","{say("不一致", "differs")}")'
    sheet.row(
        (say("核对", "Check"), "label"), *(("", "text"),) * 4, (same, "check", say("一致", "the same")), ("", "text")
    )
    _grade(sheet, found)


def _item(sheet: _Sheet, one: Scored, value: str) -> tuple[str, str]:
    """A row of the score; the cells of its weight and its points. The group's average points, where a missing value
    gets them, stand in the cell of the highest value, which such an item does not use."""
    base = one.low if one.item.form == "minmax_20_80" else one.base
    mean = one.points if one.value is None and one.item.missing == "group_average_score" else None
    b, v, c, d, e = (sheet.cell(x) for x in "BBCDE")
    text = formulas.points(one.item, v, c, d, e, d)
    cells = (e, sheet.cell("F"))
    sheet.row((f"{one.title}（{one.unit}）" if one.unit else one.title, "label"), (f'=IF(ISNUMBER({value}),{value},"")', "made", one.value),
              (base, "given"), (one.high if mean is None else mean, "given"), (float(one.weight), "given"),
              (text, "strong", one.points), (one.note, "text"))  # fmt: skip
    assert b == v
    return cells


def _line(sheet: _Sheet, title: str, text: str, value: Any, note: str) -> None:
    sheet.row((title, "label"), *(("", "text"),) * 4, (text, "strong", value), (note, "text"))


def _extra(sheet: _Sheet, found: CheckUp, kind: str, items: str) -> str | None:
    """The bonus or deduction items, event by event, and their sum within the caps; the cell of the sum."""
    mine = [e for e in found.extras if e.extra.kind == kind]
    if not mine:
        return None
    score = found.told.policy.score
    sums = [_counted(sheet, one, items) for one in mine]
    cap = (score.bonus_cap if kind == "bonus" else score.deduction_cap) if score else None
    text = "+".join(sums)
    own = sheet.cell("F")
    title = sheet.say("加分合计" if kind == "bonus" else "扣分合计", f"{kind} in all".capitalize())
    limit = sheet.say(f"封顶 {exact(cap)} 分", f"at most {exact(cap)} points") if cap is not None else ""
    _line(sheet, title, f"=MIN({exact(cap)},{text})" if cap is not None else f"={text}", found.row.get(kind), limit)
    return own


def _counted(sheet: _Sheet, one: Counted, items: str) -> str:
    """A row for each event that counts, then the category's part of a formula."""
    unit = "%" if one.percent else sheet.say("分", "points")
    first = sheet.at + 1
    for category, year, worth, evidence in one.events:
        note = " ".join(x for x in (one.extra.clause, evidence) if x)
        sheet.row(
            (one.title, "label"),
            (category, "text"),
            (year, "text"),
            ("", "text"),
            (unit, "text"),
            (float(worth), "given"),
            (note, "text"),
        )
    if not one.events:
        return "0"
    cells = f"F{first}:F{sheet.at}"
    text = f"MAX({cells})" if one.extra.within_category == "highest" else f"SUM({cells})"
    if one.extra.cap is not None:
        text = f"MIN({exact(one.extra.cap)},{text})"
    return f"{items}*{text}/100" if one.percent else text


def _grade(sheet: _Sheet, found: CheckUp) -> None:
    """The quota's lines, on which side of them the rank falls, and the grade after adjustments."""
    say, row = sheet.say, found.row
    sheet.across(say("五、等级", "5. Grade"), "section")
    rank, of = sheet.cell("B"), sheet.cell("D")
    if found.shares:
        place = say(
            f"定级范围：{found.told.peers(row['grade_within'])}", f"among {found.told.peers(row['grade_within'])}"
        )
        sheet.row((say("定级名次", "Rank that grades"), "label"), (row["grade_rank"], "whole"), (say("参评数", "Of"), "label"),
                  (row["grade_of"], "whole"), *(("", "text"),) * 2, (place, "text"))  # fmt: skip
        limits = {}
        for share in found.shares:
            limits[share.grade] = sheet.cell("B")
            last = f"=INT({of}*{sheet.cell('B')}/100)"
            note = say(*GRADES.get(share.grade, ("", "")))
            value = int(row["grade_of"] * share.up_to_percent // 100)
            sheet.row((say(f"{share.grade} 级累计比例（%）", f"Grade {share.grade} up to %"), "label"), (float(share.up_to_percent), "given"),
                      (say("至名次", "to rank"), "label"), (last, "made_whole", value), *(("", "text"),) * 2, (note, "text"))  # fmt: skip
        quota = formulas.grade(found.shares, rank, of, limits)
        sheet.row(
            (say("初评等级", "Initial grade"), "label"),
            (quota, "grade", row["grade_initial"]),
            *(("", "text"),) * 4,
            (say("名次 × 100 ≤ 累计比例 × 参评数", "rank × 100 ≤ share × of"), "text"),
        )
    note = say("；", "; ").join(found.adjustments) or say("无调整", "no adjustment")
    sheet.row((say("最终等级", "Grade"), "label"), (row["grade"], "grade"), *(("", "text"),) * 4, (note, "text"))


def _ranks(sheet: _Sheet, found: CheckUp) -> None:
    """A row a grouping, rank and of for each metric (at most six have a column)."""
    say = sheet.say
    sheet.across(say("六、名次（名次 / 参评数）", "6. Ranks (rank / of)"), "section")
    metrics = list(dict.fromkeys(metric for metric, *_ in found.ranks))[: len(WIDTHS) - 1]
    sheet.head(say("范围", "Among"), *metrics, *("",) * (len(WIDTHS) - 1 - len(metrics)))
    places = {
        (metric, grouping): f"{'–' if rank is None else f'{rank:,}'} / {of:,}"
        for metric, grouping, rank, of in found.ranks
    }
    for grouping in dict.fromkeys(g for _, g, *_ in found.ranks):
        cells = [(places.get((m, grouping), ""), "text") for m in metrics]
        sheet.row((grouping, "label"), *cells, *(("", "text"),) * (len(WIDTHS) - 1 - len(metrics)))


def _paper(page: Worksheet) -> None:
    """A4 across, one page wide."""
    page.set_landscape()
    page.set_paper(9)
    page.set_margins(0.4, 0.4, 0.6, 0.6)
    page.fit_to_pages(1, 0)
    page.set_footer("&L&A&C&P / &N")
    page.hide_gridlines(2)


def _notes(book: xlsxwriter.Workbook, lines: list[tuple[str, str]], zh: bool) -> None:
    page = book.add_worksheet("说明" if zh else "Notes")
    page.set_column(0, 0, 30, book.add_format({"bold": True, "valign": "top"}))
    page.set_column(1, 1, 90, book.add_format({"text_wrap": True, "valign": "top"}))
    for row, (name, value) in enumerate(lines):
        page.write_string(row, 0, name)
        page.write_string(row, 1, value)
    page.fit_to_pages(1, 0)
