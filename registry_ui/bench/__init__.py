"""The benches behind `./run bench`: real registries and processes, measured against a baseline of the same run.

errors, table → storage_data → baseline → programs → registries, site → scanning, writing, pages → scan_bench
registries, site → bare_deleting, acting → tags_bench
catalog_data, site → catalogs, page_paths, pages → visits, weight → pages_bench
"""

from __future__ import annotations
