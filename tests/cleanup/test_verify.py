"""What a check finds in real registries, through the API and in the storage folder, and what it does not."""

from __future__ import annotations

from cleanup.halting import halted
from cleanup.models import Check
from tests.cleanup.checking import REPOSITORY, Checking
from tests.pushing import Pusher

State = Check.State


def test_a_whole_registry_is_whole(checking: Checking) -> None:
    push = checking.push
    amd, arm = push.image(seed="amd", layers=[b"base", b"amd"]), push.image(seed="arm", layers=[b"base", b"arm"])
    push.index("1.0", "latest", children=[amd, arm])
    push.image("0.9", seed="old", layers=[b"base", b""])
    Pusher(checking.real.url, "other/app").image("1.0", seed="amd", layers=[b"base", b"amd"])
    checking.scan()

    shallow, deep = checking.check(), checking.check(is_deep=True)

    for check in (shallow, deep):
        assert (check.state, check.broken, check.unasked) == (State.DONE, 0, 0)
        assert check.message == "All 4 tags that were looked at are whole."
        # An index, two images that it lists, and the old one; three configs and four layers, which are shared.
        assert (check.repositories, check.tags, check.manifests, check.blobs) == (2, 4, 4, 7)
    assert checking.found() == set()
    assert (shallow.size, shallow.way) == (0, "folder" if checking.row.storage else "api")
    assert deep.size > 0
    assert halted(checking.row) is None


def test_what_is_lost_is_found(checking: Checking) -> None:
    push = checking.push
    amd, arm = push.image(seed="amd"), push.image(seed="arm")
    push.index("index", children=[amd, arm])
    layered = push.image("layer", "layer-too", seed="layer", layers=[b"kept", b"lost"])
    configured = push.image("config", seed="config", layers=[b"kept"])
    gone = push.image("manifest", seed="manifest", layers=[b"kept"])
    push.image("whole", seed="whole", layers=[b"kept"])
    checking.scan()
    layer, config = checking.parts(layered)[1][1], checking.parts(configured)[0]
    for digest in (layer, config, gone):
        checking.lose(digest)
    checking.stored.revision_link(REPOSITORY, arm).unlink()

    check = checking.check()

    assert checking.found() == {
        ("index", "no-child", arm),
        ("layer", "no-layer", layer),
        ("layer-too", "no-layer", layer),
        ("config", "no-config", config),
        ("manifest", "no-manifest", gone),
    }
    assert (check.tags, check.broken, check.new, check.unasked) == (6, 5, 5, 0)
    assert check.message == "Of 6 tags 5 are broken, and 0 could not be asked for."
    halt = halted(checking.row)
    assert halt is not None
    assert halt.why.startswith(f"Check {check.pk} found {REPOSITORY}:")
    assert halt.why.endswith(" is not there.")


def test_a_blob_that_its_repository_does_not_link_is_missing_there_alone(checking: Checking) -> None:
    digest = checking.push.image("1.0", layers=[b"shared"])
    Pusher(checking.real.url, "other/app").image("1.0", layers=[b"shared"])
    checking.scan()
    layer = checking.parts(digest)[1][0]
    checking.stored.layer_link(REPOSITORY, layer).unlink()

    check = checking.check()

    (finding,) = check.findings.all()
    assert (finding.repository, finding.tag, finding.code, finding.part) == (REPOSITORY, "1.0", "no-layer", layer)


def test_another_byte_is_found_where_every_byte_is_read(checking: Checking) -> None:
    """A manifest is always read, and a blob that has another size needs no reading where its folder is."""
    blob = checking.parts(checking.push.image("blob", seed="blob", layers=[b"x" * 300_000]))[1][0]
    manifest = checking.push.image("manifest", seed="manifest", annotations={"is": "~"})
    checking.push.image("whole", seed="whole")
    checking.scan()
    checking.flip(blob)

    assert checking.check().broken == 0

    checking.flip(manifest, b"~")
    deep = checking.check(is_deep=True)

    assert checking.found(deep) == {("blob", "differs", blob), ("manifest", "differs", manifest)}
    assert deep.broken == 2


def test_what_is_mended_is_open_no_more(checking: Checking) -> None:
    push = checking.push
    lost, pushed = push.image("lost", seed="lost"), push.image("pushed", seed="pushed")
    deleted = push.image("deleted", seed="deleted")
    checking.scan()
    for digest in (lost, pushed, deleted):
        checking.lose(checking.parts(digest)[0])
    assert checking.check().broken == 3

    push.image("pushed", seed="pushed")
    checking.stored.tag_link(REPOSITORY, "deleted").parent.parent.rename(checking.real.folder / "deleted")
    again = checking.check()

    assert {tag for tag, *_ in checking.found()} == {"lost"}
    assert (again.broken, again.new) == (1, 0)
    (finding,) = again.findings.all()
    first = Check.objects.order_by("pk")[0].findings.get(tag="lost")
    assert (finding.first_seen, finding.is_new, first.is_new, first.is_open) == (first.first_seen, False, True, False)


def test_a_sample_looks_at_so_many_tags_of_each_repository(checking: Checking) -> None:
    for name in ("a", "b"):
        push = Pusher(checking.real.url, name)
        for tag in ("1", "2", "3"):
            push.image(tag, seed=tag)
    checking.scan()

    assert checking.check(sample=2).tags == 4
    assert checking.check(sample=5).tags == 6
    assert checking.check(repository="b").tags == 3


def test_a_registry_without_a_tag_has_nothing_to_look_at(checking: Checking) -> None:
    assert checking.check().message == "There was no tag to look at."


def test_what_no_scan_has_seen_yet_is_looked_at_too(checking: Checking) -> None:
    digest = checking.push.image("1.0", seed="one")
    config, _ = checking.parts(digest)
    checking.lose(config)

    assert checking.check().broken == 1
    assert checking.found() == {("1.0", "no-config", config)}
