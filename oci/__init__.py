"""Values and a client for OCI registries; a library of its own that knows nothing of the rest of Berth."""

from __future__ import annotations
