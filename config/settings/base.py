"""Settings that hold everywhere. `dev`, `test` and `prod` import names from here and say what differs."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import django_stubs_ext
from kombu import Queue

from config import env
from tenants.releases import DEFAULT_RELEASE, queue_of

# Django's fields, managers and querysets take type parameters only after this.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent.parent
DATA_DIR = env.folder("ENCLAVE_DATA", default=BASE_DIR / "var")

# --- planes -------------------------------------------------------------------------------------
# Where each app's models live. An app in none of the three is an error at start-up.

TWIN_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "accounts.identity",  # with the sessions: django.contrib.sessions would keep their keys readable
    "allauth.account",
    "allauth.mfa",
]
CONTROL_APPS = [
    "django.contrib.admin.apps.SimpleAdminConfig",
    "tenants",
    "operations",
]
TENANT_APPS = [
    "guardian",
    "auditlog",
    "audit",
    "jobs",
    "permissions",
    "accounts",
    "records",
]
# Apps without tables.
BARE_APPS = [
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "django_htmx",
    "heroicons",
    "config.ui",
]
# django-tenants' names for the two lists.
SHARED_APPS = [*TWIN_APPS, *CONTROL_APPS]
INSTALLED_APPS = [*BARE_APPS, *TWIN_APPS, *CONTROL_APPS, *TENANT_APPS]


def _label(app: str) -> str:
    return app.partition(".apps.")[0].rsplit(".", 1)[-1]


CONTROL_LABELS = frozenset(_label(app) for app in CONTROL_APPS)
TENANT_LABELS = frozenset(_label(app) for app in TENANT_APPS)
TWIN_LABELS = frozenset(_label(app) for app in TWIN_APPS)

TENANT_MODEL = "tenants.Organisation"
TENANT_DOMAIN_MODEL = "tenants.Domain"
TENANT_DB_ALIAS = "control"

# --- databases ----------------------------------------------------------------------------------

DATABASE_LOGIN = env.one_of("ENCLAVE_LOGIN", ("app", "owner"), default="app")
_PREFIX = "OWNER_" if DATABASE_LOGIN == "owner" else ""
SHARD_ALIASES = env.shard_aliases() or ("shard_1", "shard_2")
SHARDS = {alias: env.shard(alias) for alias in SHARD_ALIASES}
# Seconds for which a connection is tried, and a server that has left the network without a word is believed.
DATABASE_PATIENCE = {
    "connect_timeout": "5",
    "keepalives_idle": "30",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}
# A backend keeps about 1.6 MB for each schema it has touched; a pooled connection retires after so many.
# How long a run of migrations waits between two rings that have organisations in them.
FLEET_PAUSE_S = env.number("ENCLAVE_FLEET_PAUSE", default=30)
SCHEMAS_PER_CONNECTION = env.number("ENCLAVE_SCHEMAS_PER_CONNECTION", default=150, least=1)


def databases(*, pool: dict[str, Any] | None) -> dict[str, dict[str, Any]]:
    """Return DATABASES from the environment; `pool` are the options of psycopg's pool, or None."""
    engines = {"control": "django.db.backends.postgresql"} | dict.fromkeys(
        SHARD_ALIASES, "tenants.backends.shard"
    )
    found: dict[str, dict[str, Any]] = {"default": {"ENGINE": "tenants.backends.current"}}
    for alias, engine in engines.items():
        found[alias] = env.database(f"{_PREFIX}{alias.upper()}_DATABASE_URL", engine=engine)
        found[alias]["OPTIONS"] = DATABASE_PATIENCE | found[alias]["OPTIONS"]
        if pool and DATABASE_LOGIN == "app":
            found[alias]["OPTIONS"]["pool"] = dict(pool)
            # Asked before it is handed out: one that a restart of the server has ended costs no page.
            # A shard's backend asks by itself, where a server that hangs is noticed too.
            found[alias]["CONN_HEALTH_CHECKS"] = alias == "control"
    return found


# What servers replicate with while an organisation moves; known where the owner's login is. Each is also how
# the other servers reach that one.
MOVER_URLS = {
    alias: url
    for alias in SHARD_ALIASES
    if (url := env.text(f"MOVER_{alias.upper()}_DATABASE_URL", default=""))
}
# For how many days the copy that a move left behind is kept, closed.
MOVE_KEPT_DAYS = env.number("ENCLAVE_MOVE_KEPT_DAYS", default=3)
# How many bytes the databases of the shards may have; 0 or nothing for those that nobody limits.
SHARD_BYTES = {alias: env.number(f"{alias.upper()}_BYTES", default=0) for alias in SHARD_ALIASES}

DATABASE_ROUTERS = ["tenants.routers.PlaneRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- releases -----------------------------------------------------------------------------------

# Which release this process is of; it serves the organisations that are placed on that one.
RELEASE = env.name("ENCLAVE_RELEASE", default=DEFAULT_RELEASE)
# The releases that were cut, each with the migrations that it ends with.
SCHEMA_RELEASES = BASE_DIR / "operations" / "releases.json"

# --- hosts --------------------------------------------------------------------------------------

# Organisations answer at <slug>.<base>, the console and uploaded content on sites of their own.
BASE_DOMAIN = env.text("ENCLAVE_BASE_DOMAIN", default="enclave.localhost")
OPERATORS_HOST = env.text("ENCLAVE_OPERATORS_HOST", default="operators.localhost")
CONTENT_DOMAIN = env.text("ENCLAVE_CONTENT_DOMAIN", default="content.localhost")
PUBLIC_PORT = env.text("ENCLAVE_PORT", default="8000")
# Hosts are matched exactly by tenants.middleware.HostMiddleware against the domains stored.
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "config.urls.public"
URLCONF_TENANT = "config.urls.tenant"
URLCONF_OPERATORS = "config.urls.operators"
URLCONF_CONTENT = "config.urls.content"

WSGI_APPLICATION = "config.wsgi.application"

# --- requests -----------------------------------------------------------------------------------

MIDDLEWARE = [
    "tenants.middleware.HealthMiddleware",
    "config.security.SecurityHeadersMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.compression.PagesGZipMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "tenants.middleware.HostMiddleware",
    "tenants.middleware.OriginMiddleware",
    "accounts.middleware.CookieMiddleware",
    "tenants.middleware.PlaneMiddleware",
    "accounts.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "accounts.middleware.PersonMiddleware",
    "accounts.middleware.RenewalMiddleware",
    "accounts.middleware.ProfileMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.GuessingMiddleware",
    "accounts.middleware.SecondStepMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.SettlingMiddleware",
    "config.refusals.RefusalMiddleware",
    "accounts.middleware.DenialMiddleware",
]
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
DATA_UPLOAD_MAX_NUMBER_FILES = 20
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_TEMP_DIR: str | None = None
# The largest file that may be uploaded, in bytes.
UPLOAD_LIMIT = env.number("ENCLAVE_UPLOAD_LIMIT", default=250 * 1024 * 1024)

# --- people -------------------------------------------------------------------------------------

AUTH_USER_MODEL = "identity.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]

LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "account_login"

# Sign-in is allauth's; what an organisation's people see of it are our templates.
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "accounts.tokens.ResetTokens"  # noqa: S105  # a class
ACCOUNT_FORMS = {
    "login": "accounts.forms.SignInForm",
    "reset_password": "accounts.forms.ResetForm",
    "reset_password_from_key": "accounts.forms.NewPasswordForm",
    "change_password": "accounts.forms.ChangePasswordForm",
    "set_password": "accounts.forms.SetPasswordForm",
    "reauthenticate": "accounts.forms.ReauthenticateForm",
    "add_email": "accounts.forms.AddressForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_CONFIRMATION_EXPIRE_DAYS = 1
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_PREVENT_ENUMERATION = "strict"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # an address that nobody here has gets no mail from us
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_SESSION_REMEMBER = None  # asked on the page
ACCOUNT_RATE_LIMITS = False  # accounts.guessing counts, by address and by account, also without Redis
MFA_ADAPTER = "accounts.adapters.SecondStepAdapter"
MFA_FORMS = {
    "authenticate": "accounts.forms.SecondStepForm",
    "reauthenticate": "accounts.forms.SecondStepAgainForm",
    "activate_totp": "accounts.forms.EnrolForm",
    "add_webauthn": "accounts.forms.AddPasskeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_TOLERANCE = 1
MFA_RATE_LIMITS = False
MFA_ALLOW_UNVERIFIED_EMAIL = True  # who changes their address keeps the second step meanwhile
PASSWORD_RESET_TIMEOUT = 3600

# A session ends after so long without a request (short: without "stay signed in"), and after so long at all.
SESSION_IDLE = timedelta(days=14)
SESSION_IDLE_SHORT = timedelta(hours=12)
SESSION_ENDS_AFTER = timedelta(days=30)
# The ring of keys that secrets at rest are encrypted with: id:key,id:key; the first one encrypts.
ENCLAVE_KEYS = env.words("ENCLAVE_KEYS")

# --- guardian, auditlog, ratelimit --------------------------------------------------------------

ANONYMOUS_USER_NAME = None  # otherwise every organisation gets an account "AnonymousUser"
GUARDIAN_MONKEY_PATCH_USER = False
GUARDIAN_MONKEY_PATCH_GROUP = False
GUARDIAN_RAISE_403 = True
GUARDIAN_USER_OBJ_PERMS_MODEL = "permissions.UserGrant"
GUARDIAN_GROUP_OBJ_PERMS_MODEL = "permissions.GroupGrant"
# The library's table is a read-only view over our trail, made by the room `audit`.
MIGRATION_MODULES = {"auditlog": None}
AUDITLOG_DISABLE_REMOTE_ADDR = True  # the address comes from our context, which knows the proxies
SILENCED_SYSTEM_CHECKS = [
    "django_ratelimit.W001",  # wants memcached or its own Redis cache; Django's Redis cache counts atomically
    "django_ratelimit.E003",
    "guardian.W001",  # our policies read the grants: guardian's backend knows neither dates nor ceilings
    "auth.W004",  # addresses are unique without case, by a constraint on lower(email)
]

# --- redis, celery ------------------------------------------------------------------------------

REDIS_URL = env.text("REDIS_URL", default="redis://127.0.0.1:6379/0")
# A request does not wait for a Redis that is gone.
REDIS_PATIENCE = {"socket_connect_timeout": 0.5, "socket_timeout": 0.5}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_FUNCTION": "tenants.cache.make_key",
        "KEY_PREFIX": "enclave",
        "OPTIONS": REDIS_PATIENCE,
    },
    # Counts of tries: those of an address are one for all organisations, so their keys carry no tenant.
    "limits": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "limits",
        "OPTIONS": REDIS_PATIENCE,
    },
}
RATELIMIT_USE_CACHE = "limits"

# Message queues that organisations are spread over; the workers' command names them all.
JOB_QUEUES = 8
# Seconds for which a worker has a job without saying so again; each chunk of work renews it.
JOB_LEASE_SECONDS = env.number("ENCLAVE_JOB_LEASE_SECONDS", default=30, least=1)
# Seconds after which a wake row comes again while its organisation still has something due.
JOB_WAKE_SECONDS = env.number("ENCLAVE_JOB_WAKE_SECONDS", default=10, least=1)
JOB_SWEEP_SECONDS = env.number("ENCLAVE_JOB_SWEEP_SECONDS", default=2, least=1)
# Seconds after which a long job makes room when others wait.
JOB_TURN_SECONDS = env.number("ENCLAVE_JOB_TURN_SECONDS", default=20, least=1)
# How many jobs of one organisation may run at once, in each of app, mail and owner.
JOBS_RUNNING_PER_ORGANISATION = env.number("ENCLAVE_JOBS_PER_ORGANISATION", default=3, least=1)
# Kinds of jobs that stay queued for now.
JOB_CLOSED_KINDS = env.words("ENCLAVE_CLOSED_KINDS")

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_TRANSPORT = "jobs.broker:Transport"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_EVENT_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
# Nobody who can write to the broker may command the workers.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_TASK_QUEUES = [
    Queue(name, routing_key=name)
    for name in (
        queue_of(lane, RELEASE) for lane in (*(f"jobs.{n}" for n in range(JOB_QUEUES)), "mail", "owner")
    )
]
CELERY_TASK_DEFAULT_QUEUE = queue_of("mail", RELEASE)
# Which of how many workers this one is, such as 1/2; then it prefers its part of the organisations.
JOB_WORKER_PLACE = env.place("ENCLAVE_WORKER_PLACE")
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "queue_order_strategy": "jobs.turns:OwnQueuesFirst",
    "global_keyprefix": "enclave:",
    # A message that is delivered twice finds nothing to do; this only bounds how long one is lost.
    "visibility_timeout": 300,
    "socket_connect_timeout": 1,
    "socket_timeout": 10,
    "socket_keepalive": True,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"  # keeps no file: the schedule is code
CELERY_BEAT_MAX_LOOP_INTERVAL = 1

# --- mail ---------------------------------------------------------------------------------------

EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = env.text("EMAIL_HOST", default="127.0.0.1")
EMAIL_PORT = env.number("EMAIL_PORT", default=1025, least=1)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", default=False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("ENCLAVE_FROM_EMAIL", default="Enclave <no-reply@enclave.localhost>")
# Where the development catcher puts what it received; empty where there is no catcher.
MAIL_CATCHER_FOLDER = env.text("MAIL_CATCHER_FOLDER", default="")

# --- files, pages -------------------------------------------------------------------------------

MEDIA_ROOT = str(env.folder("ENCLAVE_FILES", default=DATA_DIR / "files"))
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = str(env.folder("ENCLAVE_STATIC", default=DATA_DIR / "static"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_MAX_AGE = 31_536_000

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.frame.frame",
            ],
        },
    }
]

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

CSRF_FAILURE_VIEW = "config.errors.csrf_failure"
SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = int(SESSION_ENDS_AFTER.total_seconds())
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_USE_SESSIONS = False
MESSAGE_STORAGE = "config.messages.LastMessages"
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"

_NONE, _SELF = "'none'", "'self'"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [_NONE],
        "script-src": [_SELF],
        "style-src": [_SELF],
        "img-src": [_SELF, "data:"],
        "font-src": [_SELF],
        "connect-src": [_SELF],
        "form-action": [_SELF],
        "frame-ancestors": [_NONE],
        "base-uri": [_NONE],
        "object-src": [_NONE],
        "manifest-src": [_SELF],
    }
}

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
