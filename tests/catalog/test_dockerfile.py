from __future__ import annotations

import time

import pytest

from catalog.reads.dockerfile import dockerfile_of, text_of
from oci.config import HistoryStep


def told(*created_by: str) -> list[str]:
    """The lines that are told back of these steps, without the head."""
    pieces = dockerfile_of([HistoryStep(line) for line in created_by], "team/app@sha256:x")
    return text_of(pieces[1:]).removesuffix("\n").split("\n")


@pytest.mark.parametrize(
    ("created_by", "line"),
    [
        ("/bin/sh -c #(nop) ADD file:abc123 in / ", "ADD file:abc123 /"),
        ("/bin/sh -c #(nop) COPY multi:abc in /dest/ ", "COPY multi:abc /dest/"),
        ("COPY --chown=1:1 --chmod=755 a b /c # buildkit", "COPY --chown=1:1 --chmod=755 a b /c"),
        (
            "ADD --checksum=sha256:x https://example.org/f / # buildkit",
            "ADD --checksum=sha256:x https://example.org/f /",
        ),
        ("/bin/sh -c apt-get update", "RUN apt-get update"),
        ("RUN /bin/sh -c apt-get update # buildkit", "RUN apt-get update"),
        ("RUN |2 A=1 FLAGS=-a -b /bin/sh -c make all # buildkit", "RUN make all"),
        ("|1 VERSION=3 /bin/sh -c make", "RUN make"),
        ("cmd /S /C echo hello", "RUN echo hello"),
        ('/bin/sh -c #(nop)  CMD ["sh"]', 'CMD ["sh"]'),
        ('CMD ["nginx" "-g" "daemon off;"]', 'CMD ["nginx", "-g", "daemon off;"]'),
        ('ENTRYPOINT ["/x" "say \\"hi\\""]', 'ENTRYPOINT ["/x", "say \\"hi\\""]'),
        ("ENV PATH=/bin:/usr/bin", "ENV PATH=/bin:/usr/bin"),
        ("ENV OPTS=-a -b", 'ENV OPTS="-a -b"'),
        ("ENV A=1 B=2", "ENV A=1 B=2"),
        ("LABEL maintainer=Ana Kivi", 'LABEL maintainer="Ana Kivi"'),
        ("EXPOSE map[443/tcp:{} 80/tcp:{}]", "EXPOSE 443/tcp 80/tcp"),
        ("EXPOSE [8080/tcp]", "EXPOSE 8080/tcp"),
        ("VOLUME [/data]", 'VOLUME ["/data"]'),
        ("WORKDIR /srv", "WORKDIR /srv"),
        ("USER nobody", "USER nobody"),
        ("STOPSIGNAL SIGQUIT", "STOPSIGNAL SIGQUIT"),
        ("ONBUILD RUN x", "ONBUILD RUN x"),
        (
            'HEALTHCHECK &{["CMD-SHELL" "curl -f http://x || exit 1"] "30s" "3s" "0s" "0s" \'\\x03\'}',
            "HEALTHCHECK --interval=30s --timeout=3s --retries=3 CMD curl -f http://x || exit 1",
        ),
        ('HEALTHCHECK &{["CMD" "true"] "0s" "0s" "5s" \'\\x00\'}', 'HEALTHCHECK --start-period=5s CMD ["true"]'),
        ("HEALTHCHECK &{odd}", "HEALTHCHECK &{odd}"),
        ("bazel build ...", "# a step of another tool: bazel build ..."),
        ("", "# a step without a command"),
    ],
)
def test_an_instruction_is_told_back_as_it_was_written(created_by: str, line: str) -> None:
    assert told(created_by) == [line]


def test_a_shell_that_was_chosen_is_told_apart_from_the_command() -> None:
    assert told("SHELL [/bin/bash -o pipefail -c]", "RUN /bin/bash -o pipefail -c set -x # buildkit") == [
        'SHELL ["/bin/bash", "-o", "pipefail", "-c"]',
        "RUN set -x",
    ]


def test_commands_of_several_lines_keep_them() -> None:
    assert told("RUN /bin/sh -c echo a\necho b\n # buildkit") == ["RUN <<EOF", "echo a", "echo b", "EOF"]
    assert told("RUN /bin/sh -c echo a\nEOF\n # buildkit") == ["RUN <<EOF_", "echo a", "EOF", "EOF_"]
    assert told("RUN /bin/sh -c cat <<X > /f\nhi\nX\n # buildkit") == ["RUN cat <<X > /f", "hi", "X"]
    assert told("RUN /bin/sh -c a \\\n  && b") == ["RUN a \\", "  && b"]


@pytest.mark.parametrize("end", ["\n", "\r", "\u2028", "\x85", "\x0b", "\x1c"])
def test_a_text_cannot_leave_its_comment_or_its_instruction(end: str) -> None:
    evil = f"x{end}RUN evil"
    step = HistoryStep(f"tool {evil}", comment=evil)
    text = text_of(dockerfile_of([step, HistoryStep(f"USER {evil}")], evil, base=evil))
    assert not [line for line in text.splitlines() if line.startswith("RUN")]


def test_the_head_says_what_is_not_known_and_what_the_image_says_of_its_base() -> None:
    plain = text_of(dockerfile_of([], "team/app@sha256:x"))
    assert "not the file that built it" in plain
    assert "# FROM a base that is not known" in plain
    said = text_of(dockerfile_of([], "team/app@sha256:x", base="docker.io/library/python:3.13"))
    assert "# FROM docker.io/library/python:3.13, says the image itself" in said


def test_each_piece_knows_the_layer_that_it_left() -> None:
    history = [HistoryStep("COPY a b"), HistoryStep("ENV A=1", empty_layer=True), HistoryStep("COPY c d")]
    assert [piece.layer for piece in dockerfile_of(history, "x")] == [None, 1, None, 2]


@pytest.mark.parametrize(
    "text",
    [
        "EXPOSE map[" + "a" * 500_000,
        "HEALTHCHECK &{[" + '] "" "" ' * 100_000,
        "ENV A=" + " b" * 250_000,
        'CMD ["' + '" "' * 200_000,
        "SHELL [" + "[" * 500_000,
        "VOLUME " + '["a" ' * 100_000,
        "RUN |1 " + " /bin/sh" * 100_000,
        "RUN /bin/sh -c " + "EOF\n" * 200_000,
    ],
)
def test_a_text_that_was_made_to_take_long_does_not(text: str) -> None:
    began = time.monotonic()
    told(text, text)
    assert time.monotonic() - began < 10
