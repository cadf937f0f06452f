"""Addresses of logins. Of allauth's, those that are ours to offer: no sign-up, no change of one's address."""

from allauth.account import views as account
from allauth.mfa.base.views import authenticate as mfa_authenticate
from allauth.mfa.base.views import reauthenticate as mfa_reauthenticate
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from sessions_app.accounts import sso_views, views
from sessions_app.accounts.invitation_page import invitation

urlpatterns = [
    path("", views.security, name="account_security"),
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("password/change/", account.password_change, name="account_change_password"),
    path("password/set/", account.password_set, name="account_set_password"),
    path("password/reset/", account.password_reset, name="account_reset_password"),
    path("password/reset/done/", account.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path("2fa/authenticate/", mfa_authenticate, name="mfa_authenticate"),
    path("2fa/reauthenticate/", mfa_reauthenticate, name="mfa_reauthenticate"),
    path("2fa/", RedirectView.as_view(pattern_name="account_security"), name="mfa_index"),
    path("2fa/totp/", include("allauth.mfa.totp.urls")),
    path("2fa/recovery-codes/", include("allauth.mfa.recovery_codes.urls")),
    path("2fa/required/", views.second_factor, name="account_second_factor"),
    path("2fa/webauthn/keys/<int:pk>/remove/", views.RemovePasskey.as_view(), name="mfa_remove_webauthn"),
    path("2fa/webauthn/", include("allauth.mfa.webauthn.urls")),
    path("invitation/<str:token>/", invitation, name="account_invitation"),
    path("sso/", sso_views.choose, name="account_sso"),
    path("sso/<slug:slug>/start/", sso_views.start, name="account_sso_start"),
    path("sso/callback/", sso_views.callback, name="account_sso_callback"),
    path("sessions/", views.LoginSessions.as_view(), name="usersessions_list"),
]
