"""What a query finds in the catalog, on whichever database the tests run."""

from __future__ import annotations

import re
from importlib import import_module

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from catalog import search_index
from catalog.models import Manifest, Repository, Tag
from catalog.planning import learn_sizes
from catalog.reads.narrowing import Narrowing
from catalog.searching import finding, tag_search
from catalog.searching.patterns import Pattern
from catalog.searching.query import Query
from catalog.searching.tag_search import TagSearch
from registries.models import Registry
from tests.catalog.sizes import forget_sizes
from tests.web import furniture as make

SHA = f"sha-{'abcdef9876543210' * 7}"
HELM = "application/vnd.cncf.helm.config.v1+json"

pytestmark = pytest.mark.django_db


@pytest.fixture
def local() -> Registry:
    return make.registry("local", public_name="registry.example.org")


@pytest.fixture
def harbour(local: Registry) -> list[Registry]:
    """Some repositories with tags, and a registry that nobody searches."""
    app = make.repository(local, "team/app")
    labels = {**make.config(), "config": {"Labels": {"org.opencontainers.image.revision": "8C1f20e77"}}}
    make.put(app, make.image([("one", 1)], labels), "1.27.3", "latest", "PR-12345")
    make.put(app, make.image([("two", 1)], {**make.config(), "architecture": "arm64"}), "1.26.0")
    make.settle(app)
    other = make.repository(local, "team/deep/app")
    make.put(other, make.image([("three", 1)], more={"annotations": {"org.example.team": "harbour"}}), "1_27", "V2")
    make.settle(other)
    lonely = make.repository(local, "app-tools")
    chart = make.image([("c", 1)], kind=Manifest.Kind.CHART, artifact_type=HELM)
    make.put(lonely, chart, "2", "v_", f"{SHA}-{'0' * 11}")
    make.settle(lonely)
    retired = make.registry("retired")
    make.put(make.repository(retired, "team/app"), make.image([("four", 1)]), "1.27.3")
    return [local]


def repositories(text: str, registries: list[Registry]) -> list[str]:
    return [row.name for row in finding.repositories(Query.parse(text), registries, 50)]


def tags(text: str, registries: list[Registry]) -> list[str]:
    return sorted(f"{t.repository.name}:{t.name}" for t in TagSearch(Query.parse(text), registries).newest(50))


def images(text: str, registries: list[Registry]) -> list[str]:
    return [f"{row.repository.name}:{row.lead_tag}" for row in finding.images(Query.parse(text), registries, 50)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("app", ["team/deep/app", "team/app", "app-tools"]),
        ("team/app", ["team/app"]),
        ("TEAM app", ["team/deep/app", "team/app"]),
        ("ns:team/deep", ["team/deep/app"]),
        ("repo:tools", ["app-tools"]),
        ("kind:chart", ["app-tools"]),
        ("platform:arm64", ["team/app"]),
        ("platform:linux/arm64 deep", []),
        ("registry:nothing app", []),
        ("*/app", ["team/app"]),
        ("*/*/app", ["team/deep/app"]),
        ("registry.example.org/*/a??", ["team/app"]),
        ("app[-_]t*", ["app-tools"]),
        ("zzz", []),
        ("", []),
    ],
)
def test_repositories_are_found(harbour: list[Registry], text: str, found: list[str]) -> None:
    assert sorted(repositories(text, harbour)) == sorted(found)


def test_the_very_name_comes_first(harbour: list[Registry], local: Registry) -> None:
    make.repository(local, "app")
    assert repositories("app", harbour)[0] == "app"
    assert repositories("app", harbour)[-1] == "app-tools"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1.27", ["team/app:1.27.3"]),
        ("12345", ["team/app:PR-12345"]),
        ("pr-12345", ["team/app:PR-12345"]),
        ("1_27", ["team/deep/app:1_27"]),
        ("_27", ["team/deep/app:1_27"]),
        ("x%y", []),  # no name of a tag has such a mark
        ("27", ["team/app:1.27.3", "team/deep/app:1_27"]),
        ("ST", ["team/app:latest"]),
        ("v2", ["team/deep/app:V2"]),
        ("r-", ["team/app:PR-12345"]),
        ("1.", ["team/app:1.26.0", "team/app:1.27.3"]),
        ("-1", ["team/app:PR-12345"]),
        ("v_", ["app-tools:v_"]),
        ("zq", []),
        (SHA, [f"app-tools:{SHA}-{'0' * 11}"]),
        ("9876543210" * 13, []),
        ('tag:" 1.27 "', ["team/app:1.27.3"]),
        ("2", ["app-tools:2"]),
        ("_", []),
        ("é", []),
        ("deep 1", ["team/deep/app:1_27"]),
        ("tools v", ["app-tools:v_"]),
        ("tag:latest", ["team/app:latest"]),
        ("tag:latest registry:local", ["team/app:latest"]),
        ("tag:latest registry:nothing", []),
        ("platform:arm64 27", ["team/app:1.27.3"]),
        ("tag:1 ns:team/deep", ["team/deep/app:1_27"]),
        ("*/app:1.*", ["team/app:1.26.0", "team/app:1.27.3"]),
        ("*/app:1.2[67].?", ["team/app:1.26.0", "team/app:1.27.3"]),
        ("*/app", []),
        ("nothing", []),
    ],
)
def test_tags_are_found_by_any_part_of_their_name(harbour: list[Registry], text: str, found: list[str]) -> None:
    assert tags(text, harbour) == sorted(found)


def test_gone_tags_and_those_of_other_registries_are_not_found(harbour: list[Registry]) -> None:
    Tag.objects.filter(name="1.27.3", repository__registry=harbour[0]).update(gone_at="2026-01-01T00:00:00Z")
    assert tags("1.27", harbour) == []
    assert [tag.name for tag in TagSearch(Query.parse("latest"), harbour).exact(5)] == ["latest"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("label:org.opencontainers.image.revision=8C1f", ["team/app:1.27.3"]),
        ("label:revision=8C1f20e77", ["team/app:1.27.3"]),
        ("label:revision", ["team/app:1.27.3"]),
        ("label:revision=8c1f", []),  # values are as they are
        ("8C1f20", ["team/app:1.27.3"]),
        ("harbour", ["team/deep/app:1_27"]),
        ("type:helm.config", ["app-tools:2"]),
        ("type:application/vnd.cncf", ["app-tools:2"]),
        ("type:spdx", []),
    ],
)
def test_images_are_found_by_labels_annotations_and_types(harbour: list[Registry], text: str, found: list[str]) -> None:
    assert images(text, harbour) == found


def test_images_are_found_by_the_beginning_of_their_digest(harbour: list[Registry]) -> None:
    digest = Repository.objects.get(name="team/deep/app").presences.get().manifest.digest
    hex_ = digest.partition(":")[2]
    for text in (digest, digest[:20], hex_[:12], hex_[:12].upper(), f"@{digest}", f"digest:{hex_[:9]}"):
        assert images(text, harbour) == ["team/deep/app:1_27"], text
    for text in (f"sha512:{hex_[:12]}", f"{hex_[:12]}zz", "digest:%", "digest:__"):
        assert images(text, harbour) == [], text


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("docker pull registry.example.org/team/app:1.27.3", "1.27.3"),
        ("docker pull team/app:latest", "1.27.3"),
        ("docker pull registry.example.org/team/app:nothing", None),
    ],
)
def test_a_pasted_reference_is_found_here(harbour: list[Registry], text: str, target: str | None) -> None:
    query = Query.parse(text)
    (here,) = finding.pasted_here(query, harbour)
    presence = finding.pasted_targets(query, [here])[here.pk]
    assert here.name == "team/app"
    assert (presence.lead_tag if presence else None) == target


def test_a_reference_to_another_registry_is_not_here(harbour: list[Registry]) -> None:
    assert finding.pasted_here(Query.parse("docker pull quay.io/team/app:1.27.3"), harbour) == []


PIECES = ("a", "ab", "a/b", "ab/b", "a/b/b", "b-a", "a.b", "a_b")


@pytest.mark.parametrize("text", ["*", "a*", "*b", "*/b", "a/*", "*/*", "?", "a?b", "[ab]*", "[^a]*", "*/*/*", "a*/*b"])
def test_a_star_stops_at_a_slash_on_every_database(local: Registry, text: str) -> None:
    for name in PIECES:
        make.repository(local, name)
    pattern = Pattern.parse(text)
    assert pattern is not None
    said = text.replace(".", r"\.").replace("*", "[^/]*").replace("?", "[^/]")
    expected = {name for name in PIECES if re.fullmatch(said, name)}
    assert {row.name for row in pattern.repositories(Repository.objects.all())} == expected


@pytest.mark.parametrize("text", ["app", "a[b", "a]b", "[]", "[^]x*", "a*'b", "*\x00", "**;--", ":*"])
def test_what_is_no_pattern_is_searched_for_as_it_is(text: str) -> None:
    assert Pattern.parse(text) is None


@pytest.mark.parametrize("text", ["platform:plan9", "kind:ship"])
def test_a_qualifier_that_means_nothing_is_said(text: str) -> None:
    assert Query.parse(f"{text} app").unknown == (text,)


def test_tags_are_paged_by_key(harbour: list[Registry], local: Registry) -> None:
    make.put(make.repository(local, "many/tags"), make.image([("m", 1)]), *[f"build-{n:03}" for n in range(120)])
    seen, token = [], None
    while True:
        page = TagSearch(Query.parse("build-"), harbour).page(token, 50)
        seen += [tag.name for tag in page.rows]
        token = page.next
        if token is None:
            break
    assert len(seen) == len(set(seen)) == page.count == 120


def test_each_section_is_one_query(harbour: list[Registry], django_assert_num_queries: DjangoAssertNumQueries) -> None:
    query = Query.parse("app")
    search_index.is_there()
    for found in (
        lambda: finding.repositories(query, harbour, 5),
        lambda: TagSearch(query, harbour).newest(5),
    ):
        with django_assert_num_queries(1):
            found()
    with django_assert_num_queries(2):
        finding.images(Query.parse("harbour"), harbour, 5)


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL's planner needs no help")
@pytest.mark.parametrize("analysed", [False, True])
@pytest.mark.parametrize("text", ["worker", "tag:worker", "wo"])
def test_the_index_of_tags_is_read_first_and_in_its_order(
    harbour: list[Registry], text: str, *, analysed: bool
) -> None:
    """Else each tag is looked up in it, or all that contain the text are found before the newest."""
    search_index.is_there()
    make.put(
        Repository.objects.get(name="team/app", registry=harbour[0]), make.image([("w", 1)]), "worker-1", "worker-2"
    )
    (learn_sizes if analysed else forget_sizes)()
    query = Query.parse(text)
    token = TagSearch(query, harbour).page(None, 1).next
    with CaptureQueriesContext(connection) as queries:
        TagSearch(query, harbour).newest(5)
        TagSearch(query, harbour).page(token, 5)

    first, count, second = [explain(query["sql"]) for query in queries]
    assert count[:2] == ["CO-ROUTINE subquery", "SCAN catalog_tag_trigrams VIRTUAL TABLE INDEX 0:M1"]
    for plan, after in ((first, ""), (second, "<")):
        begin = next(number for number, line in enumerate(plan) if line.startswith("LIST SUBQUERY"))
        in_order = r"SCAN catalog_tag_trigrams VIRTUAL TABLE INDEX (?!0:)\d+:M1" + after
        assert re.fullmatch(in_order, plan[begin + 1]), plan
        assert "USE TEMP B-TREE FOR ORDER BY" not in plan[:-1]  # of the few rows of the page at most


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL has an index of live tags alone")
def test_the_names_in_few_repositories_are_read_in_an_index_alone(harbour: list[Registry]) -> None:
    with CaptureQueriesContext(connection) as queries:
        TagSearch(Query.parse("team/app 1.2"), harbour).newest(5)

    _narrowing, found = [query["sql"] for query in queries]
    names_alone = re.compile(r"SEARCH V0 USING COVERING INDEX \S+ \(repository_id=\?\)")
    assert any(map(names_alone.fullmatch, explain(found)))


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite's table has all that two letters begin")
@pytest.mark.parametrize("text", ["zq", "1.", "v--", ".z", "rc."])
def test_few_letters_are_looked_up_too(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")

    assert "Bitmap Index Scan on catalog_tag_search" in search_index.looked_up(Tag.objects.all(), text).explain()


def test_a_single_letter_is_looked_for_in_few_tags_alone(
    harbour: list[Registry], monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow, wide = (TagSearch(Query.parse(text), harbour) for text in ("team/deep/app 1", "1"))
    assert [tag.name for tag in narrow.best(5)] == ["1_27"]
    assert wide.best(5) == []
    assert not narrow.wants_more
    assert wide.wants_more
    assert not TagSearch(Query.parse("12"), harbour).wants_more
    assert not TagSearch(Query.parse("*:1"), harbour).wants_more

    monkeypatch.setattr(tag_search, "_FEW_TAGS", 1)
    now_wide = TagSearch(Query.parse("team/deep/app 1"), harbour)
    assert now_wide.best(5) == []
    assert now_wide.wants_more


@pytest.mark.parametrize("text", ["team 27", "team/deep 27", "ns:team tag:27", "team 27 registry:local"])
def test_many_repositories_are_searched_as_few_are(
    harbour: list[Registry], monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    few = tags(text, harbour)
    monkeypatch.setattr(tag_search, "_FEW_REPOSITORIES", 0)
    assert "team/deep/app:1_27" in few
    assert tags(text, harbour) == few


@pytest.mark.parametrize("text", ["1.27", "-rc.1", "pr-1", "PR-1", "T", "_", "%", ".", " latest ", "é"])
def test_the_tags_of_one_repository_are_read_through(local: Registry, text: str) -> None:
    app = make.repository(local, "team/app")
    names = ["1.27.3", "1_27", "10275", "latest", "PR-12345", "Pr-1", "2.0-RC.1", "work"]
    make.put(app, make.image([("one", 1)]), *names)

    found = Tag.objects.filter(repository=app).matching_here(text)

    assert {tag.name for tag in found} == {name for name in names if text.strip().lower() in name.lower()}


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite's table is used where it is asked for")
@pytest.mark.parametrize("text", ["4.0.0", "main", "-a1"])
def test_no_trigrams_are_asked_for_the_tags_of_one_repository(text: str) -> None:
    """They know no dots, so that `4.0.0` would find every tag that has a 0."""
    tags = Tag.objects.all()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")

    assert "catalog_tag_search" in tags.matching(text).explain()
    assert "catalog_tag_search" not in tags.matching_here(text).explain()


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite reads quickly enough")
def test_the_tags_of_one_repository_are_read_in_an_index_alone(local: Registry) -> None:
    app = make.repository(local, "team/app")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")

    plan = Narrowing(text="1.2").of(app).values("pk").explain()

    assert "Index Only Scan using catalog_tag_names" in plan


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite plans by what an index looks like")
def test_how_many_tags_have_a_text_is_told_beforehand(local: Registry) -> None:
    """Else all searches are planned as if they found next to nothing, and of many tags each is looked up by itself."""
    app = make.repository(local, "team/app")
    make.put(app, make.image([("one", 1)]), *(f"build-{number}" for number in range(200)))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE catalog_tag")

    plan = Tag.objects.filter(repository=app).matching_here("uild-").explain()

    told = re.search(r"rows=(\d+)", plan)
    assert told
    assert int(told[1]) > 100, plan


def explain(sql: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + sql.replace("%", "%%"))
        return [line[3] for line in cursor.fetchall()]


def test_the_index_of_tags_follows_them(harbour: list[Registry]) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL keeps its index itself")

    def indexed(text: str) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM catalog_tag_trigrams WHERE catalog_tag_trigrams MATCH %s", [text])
            return int(cursor.fetchone()[0])

    assert indexed('"PR-"') == indexed('"45 "') == 1
    Tag.objects.filter(name="PR-12345").delete()
    assert indexed('"PR-"') == indexed('"45 "') == 0
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER catalog_tag_trigrams_insert")
    app = Repository.objects.get(name="team/app", registry=harbour[0])
    make.put(app, make.image([("late", 1)]), "late-comer")
    assert indexed('"com"') == 0
    search_index.prepare(connection)
    assert indexed('"com"') == 1
    Tag.objects.filter(name="late-comer").delete()
    assert indexed('"com"') == 0


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL has no such table")
@pytest.mark.django_db(transaction=True)
def test_the_table_of_an_earlier_version_goes() -> None:
    """Else its triggers would go on filling it."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE VIRTUAL TABLE catalog_tag_search USING fts5(name, tokenize='trigram')")
        cursor.execute(
            "CREATE TRIGGER catalog_tag_search_insert AFTER INSERT ON catalog_tag"
            " BEGIN INSERT INTO catalog_tag_search (rowid, name) VALUES (new.id, new.name); END"
        )
    with connection.schema_editor() as editor:
        import_module("catalog.migrations.0010_search_by_two_letters").drop_the_old(None, editor)

    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM sqlite_master WHERE name LIKE 'catalog_tag_search%'")
        assert cursor.fetchone() == (0,)
