"""Rights: who asks (:class:`Viewer`), what of a release they may see and do (:class:`View`), by one table of rules.

view = view_of(request, opened)          # or rights_of(viewer, opened)
view.need("export_bottom")               # PermuError forbidden names the rule
selection = view.narrow(selection)       # the viewer's own region; a region outside it is forbidden
rows = [view.cut(row) for row in rows if view.admits(row)]
frame = view.cut_frame(frame)            # columns; frame.filter(view.rows) where view.rows is not None
answer(..., view.key)                    # every cache and ETag of an answer counts the key
"""

from api.rights.rules import ACTIONS, SWITCHES
from api.rights.view import ADMINISTRATOR, View, Viewer, no_such_release, rights_of, view_of, viewer_of

__all__ = [
    "ACTIONS",
    "ADMINISTRATOR",
    "SWITCHES",
    "View",
    "Viewer",
    "no_such_release",
    "rights_of",
    "view_of",
    "viewer_of",
]
