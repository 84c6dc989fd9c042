"""A catalog as scans of a large registry would have left it, written straight into the database of a Site.

shape → names → tagging → content → repository → loading → filling
"""

from __future__ import annotations
