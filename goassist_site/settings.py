"""Django settings, derived from the checked environment (goassist_site.env). Nothing here reads os.environ."""

import logging
from pathlib import Path

from goassist_site import logs, stores
from goassist_site.console import UNFOLD as UNFOLD
from goassist_site.env import load_or_exit
from goassist_site.env_mail import mail_settings
from goassist_site.security import csp_policy, open_to_any_site

ENV = load_or_exit()
BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = ENV.goassist_data.resolve()

SECRET_KEY = ENV.secret_key
DEBUG = ENV.goassist_debug
ALLOWED_HOSTS = ENV.goassist_allowed_hosts
GOASSIST = ENV

INSTALLED_APPS = [
    "daphne",
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "ninja",
    "django_prometheus",
    "django_structlog",
    "csp",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "sessions_app",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "goassist_site.request_ids.request_id",
    "goassist_site.security.bare_headers",
    "django.middleware.security.SecurityMiddleware",
    "goassist_site.staticfiles.StaticFiles",
    "django_structlog.middlewares.RequestMiddleware",
    "csp.middleware.CSPMiddleware",
    "sessions_app.edge.gate.api_gate",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "sessions_app.tenants.middleware.console_scope",
    "sessions_app.accounts.pinned.PinnedDoor",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "goassist_site.urls"
ASGI_APPLICATION = "goassist_site.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "sessions_app.usage.banner.quota_banner",
            ],
        },
    },
]

# Stores.
DATABASES = {"default": stores.database(ENV.database_url.get_secret_value(), DATA_DIR)}
CHANNEL_LAYERS = {"default": stores.channel_layer(ENV.redis_url.get_secret_value())}
CACHES = {"default": stores.cache(ENV.redis_url.get_secret_value())}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},  # nothing is kept without saying where
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "files": stores.files(ENV, DATA_DIR),
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CELERY_BROKER_URL = ENV.redis_url.get_secret_value() or "memory://localhost//"
CELERY_BROKER_TRANSPORT_OPTIONS = {} if ENV.redis_url.get_secret_value() else {"polling_interval": 0.02}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "soak runs that died": {"task": "operations.sweep_soak_runs", "schedule": 30.0},
    "sessions that died": {"task": "operations.reap_sessions", "schedule": 30.0},
    "how hard workers are pressed": {"task": "operations.sample_level", "schedule": 60.0},
    "answers nobody may ask for again": {"task": "operations.forget_answers", "schedule": 3600.0},
    "sessions that are kept no longer": {"task": "history.forget_old", "schedule": 3600.0},
    "webhooks that are due": {"task": "webhooks.deliver_due", "schedule": 5.0},
    "webhook deliveries that are kept no longer": {"task": "webhooks.forget_old", "schedule": 3600.0},
    "files that are kept no longer": {"task": "files.sweep", "schedule": 60.0},
    "files of tenants that are no more": {"task": "files.sweep_closed_tenants", "schedule": 3600.0},
    "usage by day": {"task": "usage.roll_up", "schedule": 60.0},
}
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")

# People.
AUTH_USER_MODEL = "sessions_app.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "admin:index"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
ACCOUNT_ADAPTER = "sessions_app.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # who has a login was invited to that address
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_REAUTHENTICATION_METHODS = ["password", "mfa"]
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False  # of this session; the others end by themselves
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_RATE_LIMITS = {"single_sign_on": "30/m/ip"}
MFA_ADAPTER = "sessions_app.accounts.adapter.MfaAdapter"
MFA_FORMS = {
    "add_webauthn": "sessions_app.accounts.passkeys.AddPasskey",
    "authenticate_webauthn": "sessions_app.accounts.passkeys.AskPasskey",
    "reauthenticate_webauthn": "sessions_app.accounts.passkeys.AskPasskeyAgain",
    "login_webauthn": "sessions_app.accounts.passkeys.LogInByPasskey",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_ISSUER = "GoAssist"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not ENV.https
USERSESSIONS_TRACK_ACTIVITY = False

# Mail.
globals().update(mail_settings(ENV.goassist_mail_url.get_secret_value(), str(DATA_DIR / "mail")))
DEFAULT_FROM_EMAIL = SERVER_EMAIL = ENV.goassist_mail_from

# Language and time.
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True
FORMAT_MODULE_PATH = ["goassist_site.formats"]

# Static files: served from where they lie, no collecting step, in every mode.
STATIC_URL = "/static/"
STATICFILES_DIRS = [path for path in (BASE_DIR / "static",) if path.is_dir()]
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 0 if DEBUG else 300
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_ADD_HEADERS_FUNCTION = open_to_any_site

# Security.
CONTENT_SECURITY_POLICY = {"DIRECTIVES": csp_policy(ENV.origins)}
CSRF_TRUSTED_ORIGINS = ENV.origins
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE = ENV.https
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True  # our scripts take the token from the page's form
# Browsers then take them over TLS and from this very host only (RFC 6265bis, section 4.1.3.2).
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = (
    f"{'__Host-' if ENV.https else ''}{name}" for name in ("sessionid", "csrftoken")
)
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # no cookie of its own
CSRF_FAILURE_VIEW = "sessions_app.edge.pages.forged"
SESSION_COOKIE_AGE = 7 * 24 * 3600
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if ENV.https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = ENV.https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENV.goassist_trusted_proxies else None
# Without a proxy whose word we take, a request that came over TLS looks plain: redirecting it would never end.
SECURE_SSL_REDIRECT = ENV.https and ENV.goassist_trusted_proxies > 0
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000

# Logs and metrics.
LOGGING_CONFIG = None
LOG_FOLDER = DATA_DIR / "logs"
logs.configure(ENV.goassist_log_level, ENV.log_form, LOG_FOLDER, ENV.secrets())
DJANGO_STRUCTLOG_CELERY_ENABLED = True
# What visitors get wrong is no trouble of ours.
DJANGO_STRUCTLOG_STATUS_4XX_LOG_LEVEL = logging.INFO
PROMETHEUS_METRIC_NAMESPACE = "goassist"
PROMETHEUS_EXPORT_MIGRATIONS = False
