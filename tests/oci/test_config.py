from __future__ import annotations

import contextlib
import json
import tracemalloc
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oci.config import HealthTiming, HistoryStep, ImageConfig, parse_config, summarise
from oci.errors import BadAnswer
from oci.model import Platform
from tests.oci.test_model import JSON

WHOLE: dict[str, Any] = {
    "architecture": "arm64",
    "os": "linux",
    "variant": "v8",
    "created": "2024-05-06T07:08:09.123456789+02:00",
    "author": "Alice",
    "config": {
        "User": "nobody",
        "Entrypoint": ["/bin/app"],
        "Cmd": [],
        "Env": ["PATH=/bin", "A=b=c"],
        "WorkingDir": "/srv",
        "ExposedPorts": {"80/tcp": {}, "53/udp": {}},
        "Volumes": {"/data": {}},
        "Labels": {"a": "b", "org.opencontainers.image.title": "<script>"},
        "StopSignal": "SIGTERM",
        "Healthcheck": {"Test": ["CMD", "true"], "Interval": 5_000_000_000, "Timeout": -1, "Retries": 3},
        "Shell": ["/bin/bash", "-c"],
        "OnBuild": ["RUN x"],
    },
    "rootfs": {"type": "layers", "diff_ids": ["sha256:1", "sha256:2"]},
    "history": [
        {"created_by": "COPY a b", "created": "2024-05-06T07:08:09Z", "comment": "buildkit", "author": "Bob"},
        {"created_by": "CMD x", "empty_layer": True},
    ],
}


def config(**fields: Any) -> ImageConfig:
    return parse_config(json.dumps(WHOLE | fields).encode())


def test_a_config_tells_how_an_image_runs_and_was_made() -> None:
    content = json.dumps(WHOLE).encode()

    assert parse_config(content) == ImageConfig(  # noqa: S604  the shell of an image
        platform=Platform("linux", "arm64", "v8"),
        created=datetime(2024, 5, 6, 5, 8, 9, 123456, UTC),
        author="Alice",
        user="nobody",
        entrypoint=("/bin/app",),
        cmd=(),
        env=("PATH=/bin", "A=b=c"),
        working_dir="/srv",
        exposed_ports=("80/tcp", "53/udp"),
        volumes=("/data",),
        labels={"a": "b", "org.opencontainers.image.title": "<script>"},
        stop_signal="SIGTERM",
        healthcheck=("CMD", "true"),
        health_timing=HealthTiming(interval=5.0, retries=3),
        shell=("/bin/bash", "-c"),
        on_build=("RUN x",),
        history=(
            HistoryStep("COPY a b", datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC), "buildkit", "Bob"),
            HistoryStep("CMD x", empty_layer=True),
        ),
        diff_ids=("sha256:1", "sha256:2"),
        content=content,
    )


def test_an_empty_config_is_a_config_of_which_nothing_is_known() -> None:
    assert parse_config(b"{}") == ImageConfig(content=b"{}")


@pytest.mark.parametrize("content", [b"", b"nonsense", b"null", b"[]", b"\xff", b"[" * 100_000, b'{"a":' * 100_000])
def test_what_is_no_json_object_is_a_bad_answer(content: bytes) -> None:
    with pytest.raises(BadAnswer):
        parse_config(content)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-05-06T07:08:09Z", datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)),
        ("2024-05-06t07:08:09z", datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)),
        ("2024-05-06 07:08:09.5Z", datetime(2024, 5, 6, 7, 8, 9, 500_000, UTC)),
        ("2024-05-06T07:08:09.999999999-11:30", datetime(2024, 5, 6, 18, 38, 9, 999_999, UTC)),
        ("1980-01-02T00:00:00Z", datetime(1980, 1, 2, tzinfo=UTC)),
    ],
)
def test_a_time_is_kept_in_utc(text: str, moment: datetime) -> None:
    assert config(created=text).created == moment


@pytest.mark.parametrize(
    "text",
    ["0001-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1980-01-01T00:00:00Z",
     "1980-01-01T00:00:01Z",
     "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00", "2024-13-01T00:00:00Z",
     "2024-02-30T00:00:00Z",
     "2024-05-06T25:00:00Z", "2024-05-06T07:08:60Z", "2024-05-06T07:08:09", "2024-05-06", "yesterday", "",
     "2024-05-06T07:08:09+99:99",
     "2024-W19-1T00:00:00Z", "\u0662024-05-06T07:08:09Z", 1714979289, None, [], "2024-05-06T07:08:09Z\n",
     "2024-05-06T07:08:09." + "9" * 5000 + "Z"],
)  # fmt: skip
def test_a_time_that_is_none_is_unknown(text: Any) -> None:
    assert config(created=text).created is None
    assert config(history=[{"created": text}]).history == (HistoryStep(),)


def test_nonsense_in_one_field_leaves_the_others_known() -> None:
    for name in WHOLE:
        for nonsense in (5, "x", [5], {"a": 5}, None, True, 1.5, [None], {"a": None}, "\ud800", "\0"):
            read = config(**{name: nonsense})
            others = config()
            for other in ("author", "env", "diff_ids", "created", "history"):
                if name not in (other, "config", "rootfs"):
                    assert getattr(read, other) == getattr(others, other)


def test_half_a_command_is_not_shown() -> None:
    read = config(config={"Cmd": ["a", 5], "Entrypoint": "a", "Env": ["A=b", None], "Healthcheck": ["x"]})

    assert (read.cmd, read.entrypoint, read.env, read.healthcheck) == (None, None, (), None)


def test_a_label_that_is_no_text_is_dropped_alone() -> None:
    labels = {"a": "b", "c": 5, "d": None, "e": "\0", "f": "\ud800", "\ud800": "g", "h": ""}

    assert config(config={"Labels": labels}).labels == {"a": "b", "h": ""}


def test_lists_without_end_are_unknown() -> None:
    read = config(
        history=[{}] * 100_000,
        rootfs={"diff_ids": [""] * 10_001},
        config={"Env": [""] * 10_001, "Labels": {str(n): "" for n in range(10_001)}},
    )

    assert (read.history, read.diff_ids, read.env, read.labels) == ((), (), (), {})
    assert read.author == "Alice"


def test_what_would_fill_the_memory_is_refused_before_it_is_parsed() -> None:
    content = json.dumps({**WHOLE, "history": [[]] * 1_000_000}).encode()
    tracemalloc.start()

    with pytest.raises(BadAnswer, match="more than 600,000 parts"):
        parse_config(content)

    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("content", [json.dumps(WHOLE).encode(), b"{}", b'{"os": 7, "created": "yesterday"}'])
def test_a_summary_says_what_the_whole_says(content: bytes) -> None:
    whole, summary = parse_config(content), summarise(content)
    assert (summary.platform, summary.created) == (whole.platform, whole.created)


@settings(max_examples=50)
@given(
    st.dictionaries(st.sampled_from(sorted(WHOLE)), JSON),
    st.dictionaries(st.sampled_from(sorted(WHOLE["config"])), JSON),
)
def test_whatever_a_config_holds_it_is_read(document: Any, inner: Any) -> None:
    for content in (document, WHOLE | document, WHOLE | {"config": inner}):
        read = parse_config(json.dumps(content).encode())
        for text in (read.author, read.user, *read.env, *read.labels, *read.labels.values()):
            assert "\0" not in text
            text.encode()


@given(st.binary())
def test_whatever_comes_as_a_config_is_read_or_refused(content: bytes) -> None:
    with contextlib.suppress(BadAnswer):
        parse_config(content)
