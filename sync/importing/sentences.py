"""What a file of another tool came to, in sentences: why something is not as it was there, and what is wrong in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sync.importing.document import Expected, NotImported
from sync.importing.imported import Code, Remark

if TYPE_CHECKING:
    from django.utils.functional import Promise

_REMARKS: Final[dict[Code, str | Promise]] = {
    Code.NAME_IN_TEMPLATE: gettext_lazy("Its source or target is a template, of which only that tool knows the value."),
    Code.NO_REGISTRY: gettext_lazy("It copies from or to a folder, and no registry."),
    Code.RETAGGED: gettext_lazy("It stands under another tag at the target: copy that image by hand, or pin it."),
    Code.PATTERN: gettext_lazy("Its expression is none that Berth reads, or too long."),
    Code.RANGE: gettext_lazy("Its range of versions is none that Berth reads."),
    Code.REPOSITORIES: gettext_lazy("Its repositories are chosen by expressions that no pattern says: name them."),
    Code.SPLIT: gettext_lazy("Each of its sets of tags is a rule of its own."),
    Code.LISTED: gettext_lazy("It takes all repositories: the source has to list them."),
    Code.HALF_ANCHORED: gettext_lazy("As there, a|b fits all that begins with a or ends with b. Put it in brackets."),
    Code.FLAVOURS: gettext_lazy("As there, its range holds plain releases alone: tags with a suffix are denied."),
    Code.BOUND: gettext_lazy("A bound of its range is a pre-release: here it is the release."),
    Code.PRE_RELEASES: gettext_lazy("As there, a bound with a suffix lets pre-releases in: here flavours come too."),
    Code.SPARSE: gettext_lazy("It leaves platforms out of an index that stays as it is: few registries take that."),
    Code.ATTACHED: gettext_lazy("It names referrers or tags of tools alone: here both come along."),
    Code.BACKUP: gettext_lazy("Its name for backups is none that Berth makes: tags are backed up by date and time."),
    Code.SCHEDULE: gettext_lazy("Its schedule is none that Berth reads: the rule runs by hand."),
    Code.ROUNDED: gettext_lazy("It runs every so many whole minutes, and five at least."),
    Code.TEMPLATE: gettext_lazy("A credential is a template, of which only that tool knows the value: give it here."),
    Code.CERTIFICATE: gettext_lazy("Certificates are given with the source."),
    Code.INSECURE: gettext_lazy("Berth always looks at certificates: give the source the one of its authority."),
    Code.OTHER_SCHEME: gettext_lazy("A registry of Berth is at that host and port: it is asked as Berth asks it."),
    Code.PER_SOURCE: gettext_lazy("How many pulls stay unspent is said of a source, not of a rule: the most counts."),
    Code.NOT_NEEDED: gettext_lazy("Berth sees to that by itself."),
    Code.NOT_HERE: gettext_lazy("Berth does no such thing."),
    Code.UNKNOWN: gettext_lazy("Berth does not know that, or that value of it."),
    Code.COMMAND_LINE: gettext_lazy("What was said on the command line is not in the file: all platforms are copied."),
}
_EXPECTED: Final[dict[Expected, str | Promise]] = {
    Expected.SMALLER: gettext_lazy("The file is too large, or goes too deep."),
    Expected.YAML: gettext_lazy("This is no YAML that Berth reads."),
    Expected.ONE_DOCUMENT: gettext_lazy("There is more than one document in it."),
    Expected.MAPPING: gettext_lazy("Keys with values should stand here."),
    Expected.LIST: gettext_lazy("A list should stand here."),
    Expected.TEXT: gettext_lazy("A text should stand here."),
    Expected.FLAG: gettext_lazy("true or false should stand here."),
    Expected.NUMBER: gettext_lazy("A number should stand here."),
    Expected.DURATION: gettext_lazy("A duration should stand here, as 90s or 12h."),
    Expected.NAME: gettext_lazy("A name of a registry, a repository, a tag or a digest should stand here."),
    Expected.PLATFORM: gettext_lazy("A platform should stand here, as linux/arm64."),
    Expected.ADDRESS: gettext_lazy("An address should stand here."),
    Expected.ONE_KEY: gettext_lazy("A key stands here twice."),
    Expected.VERSION: gettext_lazy("The file is of a newer version of its format than Berth reads."),
    Expected.TYPE: gettext_lazy("The type should be image, repository or registry."),
}


def remarked(remark: Remark) -> str:
    return str(_REMARKS[remark.code])


def not_imported(error: NotImported) -> str:
    """With the line and the place, and never with what stands there."""
    sentence = _EXPECTED[error.expected]
    if not error.where:
        return _("Line %(line)s: %(sentence)s") % {"line": error.line, "sentence": sentence}
    return _("Line %(line)s, %(where)s: %(sentence)s") % {
        "line": error.line,
        "where": error.where,
        "sentence": sentence,
    }
