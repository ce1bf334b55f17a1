"""The variables with which production starts."""

GOOD = {
    "DJANGO_SECRET_KEY": "cV9pXk2mQ7sLw4eRt8yUi1oPa5dFg3hJz6xNb0vKc-qWeRtYuIoP",
    "ENCLAVE_KEYS": "k1:5f2b8c1d9e4a7f60b3c2d1e0f9a8b7c6",
    "ENCLAVE_TLS": "proxy",
    "ENCLAVE_LOGIN": "app",
    "ENCLAVE_RELEASE": "current",
    "ENCLAVE_BASE_DOMAIN": "enclave.example",
    "ENCLAVE_OPERATORS_HOST": "operators.example.net",
    "ENCLAVE_CONTENT_DOMAIN": "content.example.org",
    "ENCLAVE_FROM_EMAIL": "Enclave <no-reply@enclave.example>",
}
