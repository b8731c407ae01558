"""The parcels styled by grade for QGIS (.qml): colours that also the colour-blind tell apart, as the page shows them."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

from engine.schema.columns import GRADES

# Blue (good) to vermilion, the page's own (web/styles/tokens.css); light grey is no grade.
COLOURS = {"A": "#0b5a8c", "B": "#7fbfe3", "C": "#f2c14e", "D": "#b8400f", "T": "#b4bcc6"}
_NONE = "#e6e6e6"
_LINE = "80,80,80,255"


def _rgb(colour: str) -> str:
    return ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5)) + ",255"


def _symbol(name: int, colour: str) -> str:
    options = {"color": _rgb(colour), "outline_color": _LINE, "outline_width": "0.1", "style": "solid"}
    told = "".join(f'<Option type="QString" name="{k}" value="{v}"/>' for k, v in options.items())
    layer = f'<layer class="SimpleFill" enabled="1" pass="0" locked="0"><Option type="Map">{told}</Option></layer>'
    return f'<symbol type="fill" name="{name}" alpha="1" clip_to_extent="1" force_rhr="0">{layer}</symbol>'


def qml(attribute: str = "grade") -> str:
    """A QGIS 3 style: one category a grade, the rest as not graded. Lies beside a layer's file under the same name."""
    told = [(g, f"{g} {zh} {en}") for g, (zh, en) in GRADES.items()] + [("", "未评级 not graded")]
    categories = "".join(
        f'<category symbol="{n}" value={quoteattr(grade)} label={quoteattr(label)} render="true" type="string"/>'
        for n, (grade, label) in enumerate(told)
    )
    symbols = "".join(_symbol(n, COLOURS.get(grade, _NONE)) for n, (grade, _) in enumerate(told))
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        '<qgis version="3.22" styleCategories="Symbology">\n'
        f'<renderer-v2 type="categorizedSymbol" attr="{attribute}" enableorderby="0" forceraster="0" symbollevels="0">\n'
        f"<categories>{categories}</categories>\n<symbols>{symbols}</symbols>\n</renderer-v2>\n</qgis>\n"
    )
