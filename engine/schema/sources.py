"""What departments and ways of linking are called: titles in Chinese and English by code.

The departments' titles are those of their declarations (``ingest/sources/*.yaml``; a test compares them); a code that a
bureau declared itself is its own title.
"""

from __future__ import annotations

SOURCES = {
    "commerce": ("工商", "business register"),
    "environment": ("环保", "environment"),
    "events": ("事项", "events"),
    "exemptions": ("豁免", "exemptions"),
    "gas": ("燃气", "gas"),
    "hr": ("人社", "human resources"),
    "land": ("国土", "land"),
    "local_tax": ("地税", "local tax"),
    "power": ("供电", "power"),
    "regions": ("区划", "regions"),
    "relations": ("关系", "relations"),
    "state_tax": ("国税", "state tax"),
    "statistics": ("统计", "statistics"),
    "water": ("供水", "water"),
}
METHODS = {
    "credit_code": ("统一社会信用代码", "credit code"),
    "organisation_code": ("组织机构代码", "organisation code"),
    "registration_number": ("工商注册号", "registration number"),
    "permit": ("排污许可证号", "permit"),
    "local_id": ("本地编号", "the bureau's own number"),
    "exact_name": ("企业全称", "exact name"),
    "former_name": ("曾用名", "former name"),
    "fuzzy_name": ("名称相近", "likeness of names"),
    "fuzzy_name_address": ("名称和地址相近", "likeness of name and address"),
    "review": ("人工审核", "review"),
    "land_use": ("用地汇总", "land used"),
    "occupancy": ("用地情况", "who uses the parcel"),
}


def source_title(code: str, zh: bool) -> str:
    """What a department is called; the code of one that is not known here."""
    return SOURCES.get(code, (code, code))[0 if zh else 1]


def method_title(code: str, zh: bool) -> str:
    """What a way of linking is called; the code of one that is not known here."""
    return METHODS.get(code, (code, code))[0 if zh else 1]
