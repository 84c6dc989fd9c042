"""One registry whose every image, chart and artifact says hostile things, wherever it may say anything."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from typing import Any, Final

from catalog import card as cards
from catalog.known_names import KNOWN
from catalog.models import LargeImage, Manifest, Presence, RepeatedImage, Repository, Scan
from jobs.models import Job
from registries.models import Registry
from tests.hostile import Hostile, Reply
from tests.pushing import HELM_CHART, HELM_CONFIG
from tests.web import furniture as make
from tests.web import harbour_artifacts as artifacts

NAME: Final = "harsh"
LONG_NAME: Final = f"{'w' * 120}/{'v' * 134}"
LONG_TAG: Final = "t" * 128
_TABLES: Final = ("repositories", "images", "repeated")
_PREDICATE: Final = "in-toto.io/predicate-type"


class Voice:
    """Says the next of its texts each time it is asked, so that few things hold them all."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self._next = cycle(texts)

    def say(self) -> str:
        return next(self._next)

    def all(self) -> list[str]:
        return [self.say() for _ in self.texts]

    def typed(self) -> str:
        """What the grammar of a media type lets through: printable, plain, short."""
        letters = (letter for letter in self.say() if " " <= letter <= "~")
        return "".join(letters)[:255] or "x/<u>"

    def part(self) -> str:
        """Of a platform: a column that holds this much and no more."""
        return self.say()[:64]


def build(voice: Voice, hostile: Hostile) -> Registry:
    known: dict[str, Any] = {"referrers": True, "generation": 2, "problem": "denied", "reason": voice.say()}
    where = make.registry(
        NAME, url=hostile.url, plain_http=True, public_name="registry.example.org", capabilities=known
    )
    app = make.repository(where, "team/app", state=Repository.State.FAILED, problem=voice.say())
    _image(voice, app, hostile)
    _index(voice, app)
    _artifacts(voice, app)
    chart(voice, app, hostile)
    make.lose_tag(app, "lost", voice.say())
    readme = "\n\n".join(f"{text}\n\n# {text}\n\n- {text}\n\n`{text}`\n\n|a|\n|-|\n|{text}|" for text in voice.texts)
    cards.edit(app, cards.Said(voice.say()[:100], readme), began_from=0, by=voice.say()[:250])
    make.settle(app)
    _jobs(voice, where)
    _count(where)
    return where


def _count(where: Registry) -> None:
    """What takes its space: the longest names, in the largest images and in those that repeat."""
    make.count_namespaces(where)
    Scan.objects.filter(registry=where).update(stored=9_000_000, pushed=20_000_000, images=3)
    long = list(Presence.objects.tagged().filter(repository__name=LONG_NAME))
    for image in long:
        LargeImage.objects.create(registry=where, presence=image, size=9_000, unique=9)
    sums = {"repositories": 4, "size": 9_000, "spared": 27_000}
    for by in RepeatedImage.By:
        RepeatedImage.objects.create(registry=where, by=by, first=long[0], last=long[-1], **sums)


def _settings(voice: Voice) -> dict[str, Any]:
    every = voice.all()
    steps = [{"created_by": f"RUN {text}", "comment": voice.say(), "author": text} for text in every]
    others = [{"created_by": text, "empty_layer": True} for text in every]
    return make.config(
        author=voice.say(),
        os=voice.part(),
        architecture=voice.part(),
        variant=voice.part(),
        history=[*steps, *others],
        run={
            "User": voice.say(),
            "Env": [pair for text in every for pair in (f"NAME={text}", f"{text}=1", text)],
            "Cmd": every,
            "Entrypoint": every,
            "WorkingDir": voice.say(),
            "Volumes": {text: {} for text in every},
            "ExposedPorts": {text: {} for text in every},
            "Labels": {**{text: text for text in every}, **{name: voice.say() for name in KNOWN}},
            "StopSignal": voice.say(),
            "Healthcheck": {"Test": every},
            "Shell": every,
            "OnBuild": every,
        },
    )


def _annotations(voice: Voice) -> dict[str, str]:
    return {**{text: voice.say() for text in voice.texts}, **{name: voice.say() for name in KNOWN}}


def _image(voice: Voice, app: Repository, hostile: Hostile) -> None:
    """Signed, attested, and its registry names more that is attached."""
    layers = [("base", 9_000), *((f"layer {n}", 10 + n) for n in range(len(voice.texts) - 1))]
    built = make.image(layers, _settings(voice), more={"annotations": _annotations(voice)})
    make.put(app, built, "1.0", LONG_TAG, state=Presence.State.INCOMPLETE, problem=voice.say())
    base = make.image([("base", 9_000)])
    make.put(app, base, "base")
    long = make.repository(app.registry, LONG_NAME)
    for where in (long, make.repository(app.registry, "web/one")):
        make.put(where, base, f"2{LONG_TAG[1:]}")
    make.put(long, built, LONG_TAG)
    make.settle(long)
    digest = built.row.digest
    make.put(app, artifacts.statement(*voice.all(), seed="s"), f"{digest.replace(':', '-')}.att")
    signed = {"annotations": _annotations(voice), "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json"}
    kind = {"kind": Manifest.Kind.SIGNATURE, "artifact_type": signed["mediaType"]}
    signature = artifacts.with_layers([signed], **kind, more={"annotations": _annotations(voice)})
    make.put(app, signature, f"{digest.replace(':', '-')}.sig")
    for text in voice.texts:
        said = {_PREDICATE: text, "org.opencontainers.image.created": text}
        other = artifacts.artifact([(text, 9)], artifact_type=text[:255], subject=digest, more={"annotations": said})
        make.put(app, other)
    entry = {"mediaType": f"{make.OCI}.manifest.v1+json", "size": 512}
    named = [
        {**entry, "digest": make.blob_digest(text), "artifactType": text, "annotations": {_PREDICATE: voice.say()}}
        for text in voice.texts
    ]
    listing = {"schemaVersion": 2, "mediaType": f"{make.OCI}.index.v1+json", "manifests": named}
    hostile.on("GET", f"/v2/team/app/referrers/{digest}", Reply.json(listing))


def _index(voice: Voice, app: Repository) -> None:
    child = make.image([("child", 7)])
    make.put(app, child)
    listed: list[tuple[str, make.Built | str]] = [("linux/amd64", child)]
    # A slash would be the end of a part.
    for number in range(5):
        parts = (voice.part().replace("/", "\\") for _ in range(3))
        listed.append(("/".join(parts), child if number < 3 else make.blob_digest(f"missing {number}")))
    same = listed[1][0]
    listed.append((same, make.blob_digest("the same again")))
    versions = [voice.part() for _ in listed]
    built = make.index(listed, versions=versions, more={"annotations": _annotations(voice)})
    make.put(app, built, "many")


def _artifacts(voice: Voice, app: Repository) -> None:
    layers = [
        {"mediaType": voice.typed(), "annotations": {"org.opencontainers.image.title": text, text: voice.say()}}
        for text in voice.texts
    ]
    built = artifacts.with_layers(layers, artifact_type=voice.typed(), more={"annotations": _annotations(voice)})
    make.put(app, built, "files")
    broken = make.image(config_state=Manifest.ConfigState.MALFORMED, config_problem=voice.say())
    make.put(app, broken, "broken")
    unread = make.malformed(json.dumps({"layers": voice.all()}).encode())
    make.put(app, unread, "unread", state=Presence.State.UNREADABLE, problem=voice.say())


def chart(voice: Voice, app: Repository, hostile: Hostile) -> None:
    every = "\n".join(voice.texts).encode(errors="replace")
    files = {f"templates/{n} {text[:200]}": b"x" for n, text in enumerate(voice.texts)}
    archive = _packed({**files, "values.yaml": every, "README.md": every, "values.schema.json": every})
    config = {
        "apiVersion": "v2",
        **{name: voice.say() for name in ("name", "version", "appVersion", "description", "type", "kubeVersion")},
        **{name: voice.say() for name in ("home", "icon")},
        "sources": voice.all(),
        "keywords": voice.all(),
        "maintainers": [{"name": text, "email": voice.say(), "url": voice.say()} for text in voice.texts],
        "dependencies": [
            {"name": text, **{name: voice.say() for name in ("version", "repository", "condition", "alias")}}
            for text in voice.texts
        ],
        "annotations": {text: voice.say() for text in voice.texts},
    }
    layer = {"mediaType": HELM_CHART, "digest": make.digest_of(archive), "size": len(archive)}
    built = make.image(
        [],
        json.dumps(config).encode(),
        kind=Manifest.Kind.CHART,
        config_type=HELM_CONFIG,
        artifact_type=HELM_CONFIG,
        more={"layers": [layer], "annotations": _annotations(voice)},
    )
    make.put(app, built, "chart")
    hostile.on("GET", f"/v2/team/app/blobs/{layer['digest']}", Reply(200, archive))


def _packed(contents: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in contents.items():
            entry = tarfile.TarInfo(f"c/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), mtime=0)


def _jobs(voice: Voice, where: Registry) -> None:
    make.job(where, Job.State.FAILED, message=voice.say(), title=voice.say()[:200])
    question = {"text": voice.say(), "details": voice.all(), "yes": voice.say()[:200], "no": voice.say()[:200]}
    progress = {"phase": voice.say(), "tags": voice.say()}
    asking = make.job(where, Job.State.ASKING, question=question, title=voice.say()[:200], progress=progress)
    make.scan(where, job=asking, source_note=voice.say(), catalog_refusal=voice.say(), is_of_watched=True)


def paths(where: Registry) -> Iterator[tuple[str, bool]]:
    """Each address with whether all that the voice can say stands there, or but some of it."""
    app = f"/r/{where.name}/team/app"
    presences = Presence.objects.filter(repository__registry=where, repository__name="team/app")
    image, many, held = (presences.get(lead_tag=tag) for tag in ("1.0", "many", "chart"))
    digest = image.manifest.digest
    yield from (("/", False), (f"/r/{where.name}", False), (app, False), (f"{app}?kind=attached", False))
    yield from ((f"{app}/-/readme", False), (f"{app}/-/readme/edit", False), (f"{app}/-/timeline", False))
    yield from ((f"{app}/-/tags/1.0", True), (f"{app}/-/manifests/{digest}?view=dockerfile", True))
    yield from ((f"{app}/-/manifests/{digest}/{part}", False) for part in ("layers/1", "family"))
    yield f"{app}/-/manifests/{digest}/referrers", True
    yield from ((f"{app}/-/tags/{tag}", False) for tag in ("broken", "unread", "lost"))
    yield f"{app}/-/tags/many?platform=1", True
    yield from ((f"{app}/-/tags/files", True), (f"{app}/-/tags/chart", True))
    yield f"{app}/-/manifests/{held.manifest.digest}/chart", True
    attached = presences.exclude(manifest__subject="").first()
    signature = presences.get(manifest__kind=Manifest.Kind.SIGNATURE)
    yield from ((f"{app}/-/manifests/{row.manifest.digest}", False) for row in (many, attached, signature) if row)
    yield from ((f"/registries/{where.name}{page}", False) for page in ("", "/connect", "/scans"))
    yield from ((f"/jobs/{job.pk}", False) for job in Job.objects.filter(subject=where.job_subject))
    yield from ((f"/r/{where.name}/{LONG_NAME}{page}", False) for page in ("", f"/-/tags/{LONG_TAG}", "/-/timeline"))
    yield "/jobs", False
    storage = f"/storage/{where.name}"
    inside = f"{storage}?namespace={LONG_NAME.partition('/')[0]}"
    yield from ((path, False) for path in (storage, inside, *(f"{storage}/{name}" for name in _TABLES)))
