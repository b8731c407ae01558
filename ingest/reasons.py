"""Why a row is refused: stable codes, what is wrong and what to do, in Chinese and English."""

from __future__ import annotations

# code → (English, Chinese): what is wrong; what to do. {field} is the canonical field.
REASONS: dict[str, tuple[str, str]] = {
    "not_a_number": ("is not a number; write a plain number", "不是数字；请填写数字"),
    "negative_amount": ("is negative where no refund is possible; correct the sign or the amount", "不应为负数；请更正"),
    "out_of_range": (
        "lies outside what the column can hold; check the figure and its unit",
        "超出该项可能的范围；请核对数值和单位",
    ),
    "bad_credit_code": (
        "is not a valid unified social credit code (length, character or check digit); correct the code",
        "不是有效的统一社会信用代码（长度、字符或校验位不对）；请更正",
    ),
    "bad_organisation_code": ("is not a valid organisation code (check digit); correct it", "组织机构代码校验位不对；请更正"),
    "bad_registration_number": ("is not a valid registration number (check digit); correct it", "注册号校验位不对；请更正"),
    "bad_permit": (
        "is not a permit number of 22 characters that begins with a valid credit code; correct it",
        "不是有效的排污许可证编号（22 位，前 18 位为统一社会信用代码）；请更正",
    ),
    "bad_parcel_code": ("is not a valid parcel code; correct it", "宗地代码格式不对；请更正"),
    "bad_date": ("is not a date; write it as 2024-01-31", "不是日期；请写成 2024-01-31"),
    "bad_period": ("is not a month or year; write it as 2024-01 or 2024", "不是年月；请写成 2024-01 或 2024"),
    "period_outside_year": ("is outside the year of this load; move the row to its year's file", "不在本次导入的年度内；请放入相应年度的文件"),
    "bad_share": ("is not a share between 0 and 1; write 50%, 0.5 or 1/3", "不是 0 到 1 之间的份额；请写成 50%、0.5 或 1/3"),
    "bad_flag": ("is neither yes nor no; write 是 or 否", "不是“是”或“否”；请更正"),
    "bad_number": ("is not a number; write a plain number", "不是数字；请填写数字"),
    "bad_geometry": ("is not an area; redraw the parcel", "不是面状图形；请重绘"),
    "axes_swapped": (
        "has latitude first, longitude second; export the layer with longitude first",
        "经纬度顺序颠倒（纬度在前）；请按先经度后纬度导出",
    ),
    "metres_for_degrees": (
        "is in metres in a layer that says degrees; move it to the layer's system, or correct the .prj",
        "图层声明为经纬度而该图形坐标为米；请转换坐标或更正 .prj",
    ),
    "extra_cells": ("the row has more cells than the header; quote cells that hold a comma", "该行的列数多于表头；含逗号的内容请加引号"),
    "duplicate_row": ("the same row was already taken; remove one of them", "与已接收的行完全相同；请删除其一"),
    "conflicting_row": (
        "another row has the same key and other values; keep the right one",
        "另有一行关键字相同而数值不同；请保留正确的一行",
    ),
}  # fmt: skip
_MISSING = ("has no value, and a row needs one; fill it in", "没有值，而该项必填；请补填")


def reason(code: str) -> tuple[str, str]:
    """(English, Chinese) of a code; ``missing_<field>`` is one text for all fields."""
    return _MISSING if code.startswith("missing_") else REASONS[code]
