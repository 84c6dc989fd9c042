"""The pages on which staff set up whom Berth tells what."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from audit.models import Entry
from jobs import processor
from jobs.processor import Turns
from notices.models import Attempt, Notice, Subscription
from notices.targets import Allowed
from registries.models import Registry
from tests.hostile import Asked, Hostile, Reply
from tests.notices import furniture as make
from tests.web import furniture as rows
from tests.web.pages import Page

MANY = " ".join(f"a{number}@example.org" for number in range(11))
SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{43}=")
SAID = {
    "name": "The deployer",
    "target": "https://hooks.example.org/CANARY?key=CANARY",
    "wishes": ["push", "delete"],
    "repositories": "team/*",
}


@pytest.fixture
def here(settings: Settings) -> None:
    settings.NOTICE_PRIVATE_TARGETS = Allowed.parse(["127.0.0.1"])


def words(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return Page(response.content.decode()).words


def acts() -> list[tuple[str, str, str]]:
    return list(Entry.objects.order_by("pk").values_list("act", "actor", "detail"))


def test_a_webhook_is_added_and_its_secret_shown_once(staff_client: Client, local: Registry) -> None:
    response = staff_client.post("/notices/add-webhook", {**SAID, "registry": "local"})

    assert response.status_code == 200
    (secret,) = set(SECRET.findall(response.content.decode()))
    to = Subscription.objects.get()
    assert to.secret == secret
    assert (to.target, to.wishes, to.registry, to.repositories) == (
        SAID["target"],
        ["push", "delete"],
        local,
        "team/*",
    )
    assert acts() == [("notice-add", "staff", "The deployer (https://hooks.example.org)")]
    for url in (f"/notices/{to.pk}", f"/notices/{to.pk}/edit", "/notices", "/activity"):
        text = staff_client.get(url).content.decode()
        assert secret not in text
        assert "CANARY" not in text


def test_a_form_that_a_reload_sends_again_adds_nothing(staff_client: Client) -> None:
    form = Page(staff_client.get("/notices/add-webhook").content.decode())
    (once,) = form.all("input", name="once")
    said = {**SAID, "once": once["value"]}

    first = staff_client.post("/notices/add-webhook", said)
    again = staff_client.post("/notices/add-webhook", said, follow=True)

    assert SECRET.search(first.content.decode())
    assert "nothing was done again" in Page(again.content.decode()).words
    assert Subscription.objects.count() == 1


def test_a_new_secret_that_a_reload_asks_for_again_stays(staff_client: Client) -> None:
    to = make.recipient()
    (once,) = Page(staff_client.get(f"/notices/{to.pk}").content.decode()).all("input", name="once")
    page = staff_client.post(f"/notices/{to.pk}/secret", {"once": once["value"]})
    again = staff_client.post(f"/notices/{to.pk}/secret", {"once": once["value"]})
    (secret,) = set(SECRET.findall(page.content.decode()))

    assert again["Location"] == f"/notices/{to.pk}"
    assert Subscription.objects.get().secret == secret


def test_what_happened_before_is_not_told(staff_client: Client) -> None:
    before = make.entry()

    staff_client.post("/notices/add-webhook", SAID)

    assert Subscription.objects.get().after_entry == before.pk


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "\x07", "Give it a name."),
        ("target", "https://user:pass@hooks.example.org/", "without a user name"),
        ("target", "ftp://hooks.example.org/", "That is no address"),
        ("target", "http://hooks.example.org/", "BERTH_NOTICE_PRIVATE_TARGETS"),
        ("wishes", [], "Choose what it is to be told."),
        ("repositories", "a b", "wildcards"),
        ("ca", "-----BEGIN PRIVATE KEY-----", "A key is in that too"),
        ("ca", "/etc/passwd", "No certificate in PEM form"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(field: str, value: object, sentence: str, staff_client: Client) -> None:
    response = staff_client.post("/notices/add-webhook", {**SAID, field: value})

    assert response.status_code == 422
    assert sentence in Page(response.content.decode()).words
    assert not Subscription.objects.exists()


@pytest.mark.parametrize("target", ["nobody", "a@example.org b", "a@example.org\r\nBcc:b@example.org", MANY])
def test_what_is_no_address_of_mail_is_refused(target: str, staff_client: Client) -> None:
    assert staff_client.post("/notices/add-email", {**SAID, "target": target}).status_code == 422
    assert not Subscription.objects.exists()


def test_people_are_told_by_mail(staff_client: Client) -> None:
    response = staff_client.post("/notices/add-email", {**SAID, "target": "a@example.org, b@example.org"})

    to = Subscription.objects.get()
    assert response["Location"] == f"/notices/{to.pk}"
    assert (to.target, to.secret, to.place) == ("a@example.org\nb@example.org", "", "a@example.org, b@example.org")
    assert "BERTH_EMAIL_URL" in words(staff_client, f"/notices/{to.pk}")


def test_an_edit_that_gives_no_address_keeps_it(staff_client: Client) -> None:
    to = make.recipient("https://hooks.example.org/CANARY", failures=3)

    staff_client.post(f"/notices/{to.pk}/edit", {**SAID, "target": "", "wishes": ["breach"]})

    changed = Subscription.objects.get()
    assert (changed.target, changed.wishes, changed.failures) == (to.target, ["breach"], 3)
    assert (changed.secret, changed.after_entry) == (to.secret, to.after_entry)
    assert [act for act, _, _ in acts()] == ["notice-change"]


def test_another_address_begins_anew(staff_client: Client) -> None:
    to = make.recipient(failures=3)

    staff_client.post(f"/notices/{to.pk}/edit", SAID)

    changed = Subscription.objects.get()
    assert (changed.target, changed.failures) == (SAID["target"], 0)


def test_whoever_waits_for_a_recipient_keeps_nobody_waiting(staff_client: Client, hostile: Hostile, here: None) -> None:
    free: list[bool] = []

    def take(_: Asked) -> Reply:
        """Another request could have its turn meanwhile."""
        free.append(processor._turn.acquire(blocking=False))
        if free[-1]:
            processor._turn.release()
        return Reply(204)

    hostile.on("POST", "/", take)
    to = make.recipient(hostile.url)
    for url in (f"/notices/{to.pk}/test", f"/notices/{to.pk}/again/{make.notice(to).pk}"):
        Turns(lambda *_, url=url: [staff_client.post(url).content])({}, print)

    assert free == [True, True]


def test_a_test_says_what_came_of_it(staff_client: Client, hostile: Hostile, here: None) -> None:
    hostile.on("POST", "/", Reply(200, b"hello"), Reply(500))
    to = make.recipient(hostile.url)

    for said in ("It was taken.", "It was not taken: it was answered with 500"):
        response = staff_client.post(f"/notices/{to.pk}/test", follow=True)
        assert said in Page(response.content.decode()).words

    to.refresh_from_db()
    assert to.failures == 0  # it is not held against it
    assert sorted(Notice.objects.values_list("state", flat=True)) == ["delivered", "parked"]
    assert "hello" in words(staff_client, f"/notices/{to.pk}")


def test_a_notice_is_told_again_with_its_id(staff_client: Client, hostile: Hostile, here: None) -> None:
    hostile.on("POST", "/", Reply(200))
    to = make.recipient(hostile.url)
    told = make.notice(to, "entry-5", state=Notice.State.DELIVERED, attempts=8)

    staff_client.post(f"/notices/{to.pk}/again/{told.pk}")

    (asked,) = hostile.asked()
    assert asked.headers["webhook-id"] == "entry-5"
    assert Attempt.objects.count() == 1


@pytest.mark.parametrize(("before", "after"), [("waiting", "waiting"), ("parked", "parked"), ("delivered", "parked")])
def test_one_that_fails_again_by_hand_is_as_it_was(
    before: str, after: str, staff_client: Client, hostile: Hostile, here: None
) -> None:
    hostile.on("POST", "/", Reply(500))
    to = make.recipient(hostile.url)
    told = make.notice(to, state=before, attempts=2)

    staff_client.post(f"/notices/{to.pk}/again/{told.pk}")

    told.refresh_from_db()
    to.refresh_from_db()
    assert (told.state, to.failures) == (after, 0)


def test_a_notice_of_another_is_not_told(staff_client: Client) -> None:
    to, other = make.recipient(), make.recipient()

    assert staff_client.post(f"/notices/{to.pk}/again/{make.notice(other).pk}").status_code == 404


def test_a_new_secret_is_shown_once(staff_client: Client) -> None:
    to = make.recipient()

    response = staff_client.post(f"/notices/{to.pk}/secret")

    (secret,) = set(SECRET.findall(response.content.decode()))
    assert secret == Subscription.objects.get().secret != to.secret
    assert "no-store" in response["Cache-Control"]
    assert staff_client.post(f"/notices/{make.people().pk}/secret").status_code == 404


def test_it_is_switched_off_and_on(staff_client: Client) -> None:
    to = make.recipient(failures=3, why_disabled="x")
    staff_client.post(f"/notices/{to.pk}/switch", {"on": "0"})
    assert not Subscription.objects.get().enabled
    meanwhile = make.entry()

    staff_client.post(f"/notices/{to.pk}/switch", {"on": "1"})

    to.refresh_from_db()
    assert (to.enabled, to.why_disabled, to.failures) == (True, "", 0)
    assert to.after_entry >= meanwhile.pk


def test_it_is_removed_with_its_log(staff_client: Client) -> None:
    to = make.recipient(name="The deployer")
    make.notice(to)

    staff_client.post(f"/notices/{to.pk}/remove")

    assert not Subscription.objects.exists()
    assert not Notice.objects.exists()
    assert acts() == [("notice-remove", "staff", "The deployer (http://127.0.0.1:1)")]


def test_nobody_is_told_yet(staff_client: Client) -> None:
    text = words(staff_client, "/notices")

    assert "Nobody is told yet" in text
    assert "BERTH_EMAIL_URL" in text


def test_readers_see_neither_the_page_nor_the_way_to_it(client: Client, local: Registry) -> None:
    assert client.get("/notices").status_code == 403
    assert "Notices" not in words(client, "/registries")


def test_hostile_text_is_shown_as_text(staff_client: Client) -> None:
    evil = "<script>alert(1)</script>"
    to = make.recipient(name=evil, why_disabled=evil, enabled=False)
    told = Notice.objects.create(
        subscription=to,
        source="entry-1",
        payload={"type": evil, "subject": evil, "time": "", "data": {}},
    )
    Attempt.objects.create(subscription=to, notice=told, at=told.created_at, fault=evil, answer=evil)

    for url in ("/notices", f"/notices/{to.pk}", f"/notices/{to.pk}/edit"):
        assert evil not in staff_client.get(url).content.decode()


def test_pages_ask_few_questions(staff_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    where = rows.registry("local")
    for number in range(20):
        to = make.recipient(name=f"n{number}", registry=where)
        for _ in range(5):
            told = make.notice(to)
            Attempt.objects.create(subscription=to, notice=told, at=told.created_at)

    for url in ("/notices", f"/notices/{to.pk}", f"/notices/{to.pk}/edit", "/notices/add-webhook"):
        with django_assert_max_num_queries(10):
            staff_client.get(url)
