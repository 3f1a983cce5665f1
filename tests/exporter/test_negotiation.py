"""Which page a scraper gets for its headers."""

import pytest

from exporter.exposition import Format
from exporter.negotiation import variant

PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
PROMETHEUS_TEXT_ONLY = "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
PROMETHEUS_PROTOBUF = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,"
    "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", Format.TEXT),
        ("*/*", Format.TEXT),
        (BROWSER, Format.TEXT),
        (PROMETHEUS_3, Format.OPENMETRICS),
        (PROMETHEUS_TEXT_ONLY, Format.TEXT),
        (PROMETHEUS_PROTOBUF, Format.OPENMETRICS),
        ("application/openmetrics-text", Format.OPENMETRICS),
        ('Application/OpenMetrics-Text; Version="1.0.0"', Format.OPENMETRICS),
        ("application/openmetrics-text;version=0.0.1", Format.TEXT),
        ("application/openmetrics-text;version=2.0.0", Format.TEXT),
        ("application/openmetrics-text;q=0", Format.TEXT),
        ("application/openmetrics-text;q=0.3,text/plain;q=0.7", Format.TEXT),
        ("application/openmetrics-text;q=0.3,text/*;q=0.7", Format.TEXT),
        ("application/openmetrics-text;q=0.7,text/plain;q=0.3", Format.OPENMETRICS),
        ("text/plain,application/openmetrics-text", Format.OPENMETRICS),
        ("application/openmetrics-text;q=0.5,text/plain;q=0.1,*/*", Format.OPENMETRICS),
        ("application/openmetrics-text;q=much,text/plain;q=0.1", Format.TEXT),
        ("image/png", Format.TEXT),
        (",;=,;q", Format.TEXT),
    ],
)
def test_format(accept: str, expected: Format) -> None:
    """The better weight decides; OpenMetrics is for those who name it, and nobody is turned away."""
    assert expected == variant(accept, "").form


@pytest.mark.parametrize(
    ("accept_encoding", "expected"),
    [
        ("", False),
        ("gzip", True),
        ("gzip, deflate, br", True),
        ("GZIP;q=0.5", True),
        ("*", True),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip;q=0, *", False),
        ("deflate", False),
    ],
)
def test_encoding(accept_encoding: str, expected: bool) -> None:
    """The page is compressed for those who accept gzip."""
    assert expected == variant("", accept_encoding).gzip
