"""The names that a rule makes: of repositories in the target, and of tags under which what was there stays. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from oci.errors import InvalidName
from oci.names import Digest, RepositoryName, TagName, parse_repository, parse_tag

_FIELD: Final = re.compile(r"\{([a-z]*)\}")
_TAG_LENGTH: Final = 128


class InvalidTemplate(ValueError):  # noqa: N818  it says what is not one
    """`text` makes no name; `field` is the part of it that nobody knows, or ""."""

    def __init__(self, text: str, field: str = "") -> None:
        super().__init__(text)
        self.text, self.field = text, field


def into(template: str, repository: RepositoryName, registry: str) -> RepositoryName:
    """The repository of the target; of library/golang {namespace} is "library" and {name} "golang".

    A part that is empty takes its slash along: {namespace}/{name} of plain "golang" is "golang". Raises
    InvalidTemplate.
    """
    namespace, _, name = repository.rpartition("/")
    values = {"repository": str(repository), "namespace": namespace, "name": name, "registry": registry}
    made = _filled(template, values)
    try:
        return parse_repository(re.sub(r"/+", "/", made).strip("/"))
    except InvalidName as error:
        raise InvalidTemplate(made[:300]) from error


def backup_of(template: str, tag: TagName, now: datetime) -> TagName:
    """The tag under which what `tag` pointed to stays, cut where that is too long. Raises InvalidTemplate."""
    moments = {"date": f"{now:%Y%m%d}", "time": f"{now:%H%M%S}"}
    most = _TAG_LENGTH - len(_filled(template, {"tag": "", **moments}))
    made = _filled(template, {"tag": str(tag)[: max(0, most)], **moments})
    try:
        return parse_tag(made)
    except InvalidName as error:
        raise InvalidTemplate(made[:300]) from error


def pin_of(text: str) -> tuple[TagName | None, Digest]:
    """A digest and the tag that it stands under, as in "1.27@sha256:…"; or a digest alone. Raises InvalidName."""
    tag, at, digest = text.rpartition("@")
    return parse_tag(tag) if at else None, Digest.parse(digest)


def _filled(template: str, values: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise InvalidTemplate(template[:300], match[1])
        return values[match[1]]

    return _FIELD.sub(value, template)
