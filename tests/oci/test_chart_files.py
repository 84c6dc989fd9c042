from __future__ import annotations

import gzip
import io
import tarfile
import time
from collections.abc import Mapping

import pytest

from oci.chart_files import unpack_chart
from oci.errors import BadAnswer, TooLarge
from oci.tarball import files


def packed(contents: Mapping[str, bytes], format_: int = tarfile.GNU_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=format_) as archive:
        for name, content in contents.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def of_type(kind: bytes, name: str, link: str = "", size: int = 0) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname, entry.size = kind, link, size
        archive.addfile(entry, io.BytesIO(b"\0" * size) if size else None)
    return buffer.getvalue()


def names(archive: bytes, *, most_bytes: int = 2**20, most_entries: int = 100) -> list[str]:
    return [m.name for m in files(archive, most_bytes=most_bytes, most_entries=most_entries, kept=100)]


def test_a_chart_shows_its_values_its_readme_and_its_files() -> None:
    found = unpack_chart(
        packed(
            {
                "platform/Chart.yaml": b"name: platform\n",
                "platform/values.yaml": "größe: 2\n".encode(),
                "platform/README.md": b"# Platform\n",
                "platform/values.schema.json": b"{}",
                "platform/templates/deployment.yaml": b"kind: Deployment\n",
                "platform/charts/db/values.yaml": b"not: these\n",
            }
        )
    )
    assert found.values is not None
    assert found.readme is not None
    assert found.schema is not None
    assert (found.values.text, found.values.is_cut) == ("größe: 2\n", False)
    assert (found.readme.text, found.schema.text) == ("# Platform\n", "{}")
    assert found.templates == ("templates/deployment.yaml",)
    assert "charts/db/values.yaml" in found.others


def test_a_chart_without_them_has_none() -> None:
    found = unpack_chart(packed({"platform/Chart.yaml": b"x"}))
    assert (found.values, found.readme, found.templates) == (None, None, ())


def test_a_large_file_is_cut_and_odd_bytes_are_shown_as_such() -> None:
    found = unpack_chart(packed({"c/values.yaml": b"a\0b\xff" + b"x" * 400_000}))
    assert found.values is not None
    assert found.values.is_cut
    assert found.values.text.startswith("a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}x")
    assert len(found.values.text) == 256 * 1024


@pytest.mark.parametrize("format_", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
def test_long_names_are_read_in_every_format(format_: int) -> None:
    long = "chart/" + "/".join(["deep-and-deeper" * 3] * 4) + "/values.yaml"
    assert names(packed({long: b"x", "chart/short": b"y"}, format_)) == [long, "chart/short"]


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../up", "a/../../up", "a//b", "a/./b", "a\\b", "a/\u202eb", "", "a/\nb"]
)
def test_a_name_that_leads_elsewhere_is_no_file(name: str) -> None:
    assert names(packed({name: b"x", "chart/kept": b"y"})) == ["chart/kept"]


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE, b"S", b"g"],
)
def test_only_regular_files_count(kind: bytes) -> None:
    assert names(of_type(kind, "chart/values.yaml", "/etc/passwd")) == []


def test_a_bomb_is_given_up_at_the_limit() -> None:
    bomb = packed({"chart/values.yaml": b"\0" * 40 * 2**20})
    assert len(bomb) < 100_000
    with pytest.raises(TooLarge, match="more than Berth unpacks"):
        unpack_chart(bomb)


def test_too_many_entries_are_given_up() -> None:
    with pytest.raises(TooLarge, match="5,000 entries"):
        unpack_chart(packed({f"c/{n}": b"" for n in range(5_001)}))


def test_an_extended_header_that_is_huge_is_given_up() -> None:
    with pytest.raises(TooLarge, match="header"):
        names(of_type(b"x", "h", size=100_000))
    with pytest.raises(TooLarge, match="header"):
        names(of_type(b"L", "h", size=100_000))


def test_extended_headers_without_end_take_no_time() -> None:
    chain = gzip.compress(gzip.decompress(of_type(b"x", "h", size=512))[:1024] * 4_000)
    began = time.monotonic()
    with pytest.raises(TooLarge):
        names(chain, most_bytes=2**30, most_entries=3_000)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "ends in the middle"),
        (b"PK\x03\x04 a zip", "no gzip"),
        (gzip.compress(b""), "ends in the middle"),
        (gzip.compress(b"x" * 512), "no tar"),
        (gzip.compress(b"\xff" * 2048), "no tar"),
        (packed({"a/b": b"x" * 5_000})[:-200], "ends in the middle"),
        (packed({"a/b": b"x" * 5_000})[:40] + b"\xff" * 40, "no gzip|ends in the middle"),
    ],
    ids=["nothing", "zip", "gzip of nothing", "x", "ff", "cut", "garbled"],
)
def test_what_is_no_archive_is_said(content: bytes, why: str) -> None:
    with pytest.raises(BadAnswer, match=why):
        names(content)


def test_a_size_that_is_negative_or_endless_is_no_tar() -> None:
    plain = bytearray(gzip.decompress(packed({"a/b": b"x"})))
    for size in (b"-0000000001\0", b"\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", b"0_0_0_0_1\0\0\0"):
        plain[124:136] = size
        plain[148:156] = b" " * 8
        plain[148:156] = b"%06o\0 " % sum(plain[:512])
        with pytest.raises(BadAnswer):
            names(gzip.compress(bytes(plain)))
