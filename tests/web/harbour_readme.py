"""A README as people write them: what a page of prose has to carry."""

from __future__ import annotations

from typing import Final

from catalog import card as cards
from catalog.models import Repository

README: Final = """\
# Platform API

Answers what the platform is asked: accounts, orders and the state of every job. It keeps **no state of its own**, so
any number may run side by side. ~~Port 80~~ is no longer served.

[![build](https://ci.example.org/api.svg)](https://ci.example.org/api) [Run it](#run-it) ·
[Tags](#what-the-tags-promise)

## Run it

```sh
docker run --rm -p 8080:8080 -e DATABASE_URL=postgres://api@db.lab.internal registry.lab.internal:5000/platform/api:1.27
```

1. Give it a database, see `DATABASE_URL`.
2. Wait until `/readyz` answers **200**:
   - it migrates by itself,
   - and says so in its log.

> It never runs as root. A volume has to be writable for `10001:10001`.

## What the tags promise

| tag | promise | moves | kept for |
|---|---|:-:|--:|
| `1.27.3` | one build, signed and with an SBOM | never | 2 years |
| `1.27`, `latest` | the newest release that fits, once its tests have passed on both platforms | yes | always |
| `sha-8c1f20e` | the build of one commit, for whoever has to bisect | never | 30 days |

### When something is wrong

Ask the [platform team](mailto:platform@example.org), or open an issue in [the source](https://git.example.org/platform/api).

---

![How the parts talk to each other](https://wiki.example.org/platform/parts.png)
"""


def build(api: Repository, another: Repository) -> None:
    """Of `another` only the owner is known."""
    cards.edit(api, cards.Said("Platform team", README), began_from=0, by="Mara Voss")
    cards.edit(another, cards.Said("Whoever is on call"), began_from=0, by="Mara Voss")
