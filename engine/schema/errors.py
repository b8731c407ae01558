"""Errors a person can act on: one line that says what, where, why and what to do.

Every expected failure is a :class:`PermuError`. The command line prints it and ends with 2, the HTTP
interface maps its ``code`` to a status. Nothing else may reach a user as text.
"""

from __future__ import annotations

import locale
import os


def language() -> str:
    """``zh`` or ``en``: ``PERMU_LANG`` decides, else the locale, else English."""
    asked = os.environ.get("PERMU_LANG", "").lower()
    if asked in ("zh", "en"):
        return asked
    try:
        name = locale.getlocale(locale.LC_MESSAGES)[0] or ""
    except (ValueError, locale.Error):
        name = ""
    return "zh" if name.lower().startswith(("zh", "chinese")) else "en"


class PermuError(Exception):
    """A failure with a stable ``code``, a line in English and one in Chinese, and what to do about it.

    ``en`` and ``zh`` hold the whole ladder: what, where, why, what to do. ``details`` is for programs.
    """

    def __init__(self, code: str, en: str, zh: str, **details: object) -> None:
        super().__init__(en)
        self.code, self.en, self.zh, self.details = code, en, zh, details

    def text(self, lang: str | None = None) -> str:
        return self.zh if (lang or language()) == "zh" else self.en

    def __str__(self) -> str:
        return self.text()
