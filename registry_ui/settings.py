"""Every setting, read from the environment; docs/settings.md says what each is for."""

from __future__ import annotations

import os
import re
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from notices.targets import Allowed
from registry_ui import env
from registry_ui.logs import logging_config
from registry_ui.mail import mail_settings
from registry_ui.periodic import PERIODIC_TASKS

BASE_DIR = Path(__file__).resolve().parent.parent

# -- where things are ---------------------------------------------------------
DATA = Path(env.text("BERTH_DATA", "var")).absolute()
PUBLIC_URL = env.text("BERTH_PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")

# -- secrets ------------------------------------------------------------------
SECRET_KEY = env.secret("BERTH_SECRET_KEY")
CREDENTIALS_KEYS = env.secret("BERTH_CREDENTIALS_KEY").split()  # the first encrypts, all decrypt

# -- the registry that the environment names ------------------------------------
REGISTRY_URL = env.text("BERTH_REGISTRY_URL", "")
REGISTRY_EMBEDDED = env.flag("BERTH_REGISTRY_EMBEDDED", default=False)
REGISTRY_PUBLIC = env.text("BERTH_REGISTRY_PUBLIC", "")
REGISTRY_USER = env.text("BERTH_REGISTRY_USER", "")
REGISTRY_PASSWORD = env.secret("BERTH_REGISTRY_PASSWORD", "")
REGISTRY_CA = env.text("BERTH_REGISTRY_CA", "")
REGISTRY_CLIENT_CERT = env.text("BERTH_REGISTRY_CLIENT_CERT", "")
REGISTRY_CLIENT_KEY = env.secret("BERTH_REGISTRY_CLIENT_KEY", "")
REGISTRY_EVENTS_SECRET = env.secret("BERTH_REGISTRY_EVENTS_SECRET", "")
if REGISTRY_EVENTS_SECRET and not re.fullmatch(r"[A-Za-z0-9._~+/=-]{24,200}", REGISTRY_EVENTS_SECRET):
    raise ImproperlyConfigured(
        "BERTH_REGISTRY_EVENTS_SECRET is made of 24 to 200 letters, digits and . _ ~ + / = -"
        " (openssl rand -hex 32 makes one)"
    )
REGISTRY_STORAGE = env.text("BERTH_REGISTRY_STORAGE", "")
REGISTRY_PLAIN_HTTP = env.flag("BERTH_REGISTRY_PLAIN_HTTP", default=False)

# -- who may look ---------------------------------------------------------------
ANONYMOUS_READ = env.flag("BERTH_ANONYMOUS_READ", default=False)

# -- what is deleted -------------------------------------------------------------
TRASH_DAYS = env.number("BERTH_TRASH_DAYS", 14)
# Files of commands: whoever may write one runs code as our worker, so no page names or changes them.
CLEANUP_COMMANDS = [Path(path).absolute() for path in env.text("BERTH_CLEANUP_COMMANDS", "").split(os.pathsep) if path]

# -- who did what ------------------------------------------------------------------
AUDIT_PULLS_DAYS = env.number("BERTH_AUDIT_PULLS_DAYS", 30)  # 0: pulls are never counted together

# -- whom Berth tells what ---------------------------------------------------------
NOTICE_PRIVATE_TARGETS = env.parse(
    "BERTH_NOTICE_PRIVATE_TARGETS",
    env.text("BERTH_NOTICE_PRIVATE_TARGETS", ""),
    lambda told: Allowed.parse(told.replace(",", " ").split()),
)
_email_url = env.secret("BERTH_EMAIL_URL", "")
EMAIL_IS_SET_UP = bool(_email_url)
if _email_url:
    globals().update(mail_settings(_email_url))
DEFAULT_FROM_EMAIL = env.text("BERTH_EMAIL_FROM", f"berth@{urlsplit(PUBLIC_URL).hostname}")

# -- Django ---------------------------------------------------------------------
DEBUG = env.flag("BERTH_DEBUG", default=False)
_public = urlsplit(PUBLIC_URL)
if _public.scheme not in {"http", "https"} or not _public.hostname:
    raise ImproperlyConfigured(f"BERTH_PUBLIC_URL={PUBLIC_URL!r} is not an http or https address")
ALLOWED_HOSTS = sorted({_public.hostname, "127.0.0.1", "localhost", "[::1]", *env.words("BERTH_ALLOWED_HOSTS")})
CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"]
BEHIND_PROXY = env.flag("BERTH_BEHIND_PROXY", default=False)

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "registry_ui.static_files.Served",
    "registry_ui.postgresql.PostgreSQL",
    "django_htmx",
    "csp",
    "axes",
    "audit",
    "registries",
    "access",
    "jobs",
    "catalog",
    "notices",
    "tagging",
    "sync",
    "cleanup",
    "web",
    "api",
]
SERVER_TIMING = env.flag("BERTH_SERVER_TIMING", default=False)
MIDDLEWARE = [
    "web.server_timing.ServerTiming",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",  # pads each answer at random, so its length tells no secret
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "web.language.LanguageOfThePerson",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "web.middleware.Visits",
    "web.middleware.PrivatePages",
    "web.middleware.RegistryErrors",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "registry_ui.urls"
WSGI_APPLICATION = "registry_ui.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "web.context.frame",
            ],
            "builtins": [
                "web.templatetags.berth",
                "web.templatetags.drawing",
                "web.templatetags.listing",
                "django.templatetags.i18n",
                "web.templatetags.translating",
                "django.templatetags.static",
            ],
            "libraries": {"django_htmx": "django_htmx.templatetags.django_htmx"},
        },
    },
]

# -- the database: the truth -----------------------------------------------------
_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-32768;"
    " PRAGMA mmap_size=268435456; PRAGMA temp_store=MEMORY;"
)
_database_url = env.secret("DATABASE_URL", "")
DATABASES = {
    "default": dj_database_url.parse(_database_url, conn_max_age=60, conn_health_checks=True)
    if _database_url
    else {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA / "berth.sqlite3",
        "CONN_MAX_AGE": None,
        # IMMEDIATE: a transaction that reads before it writes would else fail at once under a second writer.
        "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE", "init_command": _SQLITE_PRAGMAS},
    },
}
# What registries tell is on the disk before they are told so: a loss of power loses none of it.
if _database_url:
    INBOX_DATABASE = "default"
else:
    INBOX_DATABASE = "inbox"
    DATABASES["inbox"] = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA / "inbox.sqlite3",
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": 5,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        },
    }
DATABASE_ROUTERS = ["audit.routing.InboxRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- Redis: a hint ----------------------------------------------------------------
REDIS_URL = env.secret("REDIS_URL", "redis://127.0.0.1:6379/0")
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=")
CELERY_TASK_IGNORE_RESULT = True
# Ids travel, nothing else; what is not JSON is refused.
CELERY_ACCEPT_CONTENT = CELERY_RESULT_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
# A job that people watch may take hours; what a person or an event waits for has a queue and a process of its own.
CELERY_TASK_DEFAULT_QUEUE = "soon"
CELERY_TASK_ROUTES = {"jobs.run": {"queue": "jobs"}}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    # A page that queues a job does not wait for a broker that is away: the sweep sends again.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "socket_connect_timeout": 2,
}
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = PERIODIC_TASKS

# -- people -----------------------------------------------------------------------
AUTH_USER_MODEL = "access.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "repositories"
LOGOUT_REDIRECT_URL = "sign-in"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _public.scheme == "https"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "web.views.errors.csrf_failure"
# Ten wrong passwords from one address hold that pair of name and address for five minutes, nobody else.
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 5 / 60
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "access/locked.html"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # or whoever keeps trying holds the others for ever
AXES_CLIENT_IP_CALLABLE = "access.addresses.client_address"
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False

# -- what a browser may do ----------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    },
}
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # what else lives below our name is not ours to decide
    "security.W008",  # whoever ends TLS before us redirects; we cannot see the scheme without BERTH_BEHIND_PROXY
    "security.W021",  # a preload list is for ever, and for the owner of the domain
]
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 3600 * 24 * 30 if _public.scheme == "https" else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None

# -- files of our own -----------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = DATA / "static"
# Swagger UI lies in ninja's wheel. Ninja is no app: each worker would load it, eleven megabytes for the web alone.
_swagger = [Path(folder) / "static" for folder in getattr(find_spec("ninja"), "submodule_search_locations", ())]
STATICFILES_DIRS = [BASE_DIR / "static", *_swagger]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage",
    },
}

# -- language and time ------------------------------------------------------------------
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ko", "한국어")]  # each by its own name
LOCALE_PATHS = [BASE_DIR / "locale"]

# -- logs ---------------------------------------------------------------------------------
LOGGING = logging_config(
    style=env.text("BERTH_LOG_FORMAT", "text"),
    level=env.text("BERTH_LOG_LEVEL", "INFO").upper(),
)
