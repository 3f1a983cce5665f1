# The exporter as a small image: no compiler, no pip in the environment, not root, nothing written outside /data and /tmp.
#
#   docker build -t databricks-jobs-exporter .
#   docker run --read-only --tmpfs /tmp --cap-drop ALL -v databricks-jobs:/data -p 10977:10977 \
#     -e DATABRICKS_HOST -e DATABRICKS_CLIENT_ID -e DATABRICKS_CLIENT_SECRET databricks-jobs-exporter
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS build
# "demo,postgresql" adds what the simulated SQL warehouse of the demo runs on
ARG EXTRAS=postgresql
WORKDIR /source
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY collector collector
COPY databricks_jobs_exporter databricks_jobs_exporter
COPY exporter exporter
COPY simulator simulator
RUN python -m venv --without-pip /opt/exporter \
    && pip --python /opt/exporter/bin/python install --no-cache-dir --disable-pip-version-check \
        --constraint constraints.txt ".[${EXTRAS}]"

FROM python:${PYTHON}
RUN groupadd --gid 10977 exporter \
    && useradd --uid 10977 --gid exporter --home-dir /data --no-create-home --shell /usr/sbin/nologin exporter \
    && install --directory --owner=exporter --group=exporter --mode=0750 /data
COPY --from=build /opt/exporter /opt/exporter
ENV PATH=/opt/exporter/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# the store of the default settings, and config.toml if there is one, are looked for here
WORKDIR /data
VOLUME /data
USER 10977:10977
EXPOSE 10977
# past any proxy; with another port, or TLS in the web config file, give --health-cmd
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 10977, timeout=4); c.request('GET', '/-/healthy'); raise SystemExit(c.getresponse().status != 200)"]
ENTRYPOINT ["databricks-jobs-exporter"]
CMD ["run"]
