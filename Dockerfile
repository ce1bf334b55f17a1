# One image for the web server, the workers, beat and the one-shot `prepare`; see docker-compose.yml.
FROM python:3.11-slim-bookworm AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /srv/enclave
COPY requirements.lock ./
RUN python -m venv /srv/venv \
    && /srv/venv/bin/pip install --require-hashes --requirement requirements.lock

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /srv/enclave enclave \
    && install --directory --owner enclave --group enclave /srv/enclave /srv/data
COPY --from=packages /srv/venv /srv/venv
WORKDIR /srv/enclave
# Owned by root: the product must not be able to change its own code.
COPY . .
ENV PATH=/srv/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=config.settings.prod \
    ENCLAVE_DATA=/srv/data
# By number, so that a host can tell that it is not root.
USER 10001
EXPOSE 8000
STOPSIGNAL SIGTERM
CMD ["gunicorn", "--config", "python:config.gunicorn", "--bind", "0.0.0.0:8000", "config.wsgi:application"]
