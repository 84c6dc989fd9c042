"""Whom Berth tells what: the recipients of notices, and the log of how each was taken. For staff."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access.guards import staff_only
from jobs.processor import given_up
from notices import services
from notices.models import Notice, Subscription
from notices.webhook import Told
from registries.models import for_asking
from web.acting import asked_by
from web.notice_form import NoticeForm
from web.notices_page import log, row_of, rows
from web.once import SENT_BEFORE, was_sent
from web.sentences import said

page_or_form = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@staff_only
def listing(request: HttpRequest) -> HttpResponse:
    return render(request, "notices/list.html", {"rows": rows(), "email_is_set_up": settings.EMAIL_IS_SET_UP})


@sensitive_post_parameters()
@page_or_form
@staff_only
def add(request: HttpRequest, way: str) -> HttpResponse:
    """A new secret is shown in the answer to the form itself, so that it is kept nowhere on its way."""
    form = NoticeForm(request.POST if request.method == "POST" else None, way=way)
    if form.is_valid():
        if was_sent(request):
            messages.info(request, SENT_BEFORE)
            return redirect("notices")
        try:
            subscription = services.add(form.details(), asked_by(request).person)
        except services.NotSaved as error:
            form.add_error(error.field, str(error))
        else:
            if subscription.is_webhook:
                return _page(request, subscription, subscription.secret)
            messages.success(request, _("%(name)s is told from now on.") % {"name": subscription})
            return redirect("notices-page", subscription.pk)
    context = {"form": form, "way": way, "email_is_set_up": settings.EMAIL_IS_SET_UP}
    return render(request, "notices/add.html", context, status=422 if form.errors else 200)


@require_safe
@staff_only
def page(request: HttpRequest, subscription_id: int) -> HttpResponse:
    return _page(request, _found(subscription_id))


@sensitive_post_parameters()
@page_or_form
@staff_only
def edit(request: HttpRequest, subscription_id: int) -> HttpResponse:
    subscription = _found(subscription_id)
    form = NoticeForm(
        request.POST if request.method == "POST" else None, way=subscription.way, subscription=subscription
    )
    if form.is_valid():
        try:
            services.change(subscription, form.details(), asked_by(request).person)
        except services.NotSaved as error:
            form.add_error(error.field, str(error))
        else:
            messages.success(request, _("The recipient %(name)s is saved.") % {"name": subscription})
            return redirect("notices-page", subscription.pk)
    context = {"form": form, "subscription": subscription}
    return render(request, "notices/edit.html", context, status=422 if form.errors else 200)


@require_POST
@staff_only
def test(request: HttpRequest, subscription_id: int) -> HttpResponse:
    subscription = _found(subscription_id)
    with given_up():
        told = services.test(subscription, asked_by(request).person)
    return _came_of_it(request, subscription, told)


@require_POST
@staff_only
def again(request: HttpRequest, subscription_id: int, notice_id: int) -> HttpResponse:
    subscription = _found(subscription_id)
    notice = get_object_or_404(Notice, subscription=subscription, pk=notice_id)
    with given_up():
        told = services.tell_again(subscription, notice)
    return _came_of_it(request, subscription, told)


@sensitive_variables("secret")
@require_POST
@staff_only
def secret(request: HttpRequest, subscription_id: int) -> HttpResponse:
    subscription = _found(subscription_id, way=Subscription.Way.WEBHOOK)
    if was_sent(request):
        messages.info(request, SENT_BEFORE)
        return redirect("notices-page", subscription.pk)
    return _page(request, subscription, services.renew_secret(subscription, asked_by(request).person))


@require_POST
@staff_only
def switch(request: HttpRequest, subscription_id: int) -> HttpResponse:
    subscription = _found(subscription_id)
    services.switch(subscription, asked_by(request).person, on=request.POST.get("on") == "1")
    return redirect("notices-page", subscription.pk)


@require_POST
@staff_only
def remove(request: HttpRequest, subscription_id: int) -> HttpResponse:
    subscription = _found(subscription_id)
    services.remove(subscription, asked_by(request).person)
    messages.success(request, _("%(name)s is told nothing any more.") % {"name": subscription})
    return redirect("notices")


def _found(pk: int, **more: str) -> Subscription:
    found = Subscription.objects.select_related("registry").defer(*for_asking("registry"))
    return get_object_or_404(found, pk=pk, **more)


@sensitive_variables("secret")
def _page(request: HttpRequest, subscription: Subscription, secret: str = "") -> HttpResponse:
    context = {
        "row": row_of(subscription),
        "subscription": subscription,
        "log": log(subscription),
        "secret": secret,
        "email_is_set_up": settings.EMAIL_IS_SET_UP,
    }
    return render(request, "notices/page.html", context)


def _came_of_it(request: HttpRequest, subscription: Subscription, told: Told) -> HttpResponse:
    if told.fault:
        messages.error(request, _("It was not taken: %(why)s") % {"why": said(told.fault)})
    else:
        messages.success(request, _("It was taken."))
    return redirect("notices-page", subscription.pk)
