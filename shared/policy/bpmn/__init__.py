"""A policy as a picture: the flow of a case under it as BPMN 2.0 and as SVG.

`draw(document, language)` gives the `Picture`, placed to the pixel; `to_xml(picture)` and
`to_svg(picture)` write it. Pure.
"""

from shared.policy.bpmn.draw import draw
from shared.policy.bpmn.picture import Picture
from shared.policy.bpmn.svg import to_svg
from shared.policy.bpmn.xml import to_xml

__all__ = ["Picture", "draw", "to_svg", "to_xml"]
