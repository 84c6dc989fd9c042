"""Signing in and out, and a person's own password."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from access.guards import signed_in_only


class _SignInForm(AuthenticationForm):
    """Which of the two is wrong is not told: it would say who has an account."""

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": gettext_lazy(
            "That name and that password do not belong together. Small and capital letters count in both."
        ),
    }


_sign_in = LoginView.as_view(
    template_name="access/sign-in.html", authentication_form=_SignInForm, redirect_authenticated_user=True
)
_sign_out = LogoutView.as_view()


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponseBase:
    return _sign_in(request)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponseBase:
    return _sign_out(request)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in_only
def password(request: HttpRequest) -> HttpResponseBase:
    """A new password ends the other sessions of this person, and keeps this one."""
    form = PasswordChangeForm(request.user, request.POST or None)  # type: ignore[arg-type]  # the guard let no other in
    if request.method == "POST" and form.is_valid():
        update_session_auth_hash(request, form.save())
        messages.success(request, gettext("Your password is changed. Your other sessions have ended."))
        return redirect("password")
    return render(request, "access/password.html", {"form": form})
