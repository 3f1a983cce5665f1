"""The configuration: what can be set, and how it is read and checked before anything starts."""

from collector.config.reading import ConfigError, load
from collector.config.secret import Secret, SecretError
from collector.config.settings import (
    AgreementSettings,
    BillingSettings,
    JobsSettings,
    LogSettings,
    MetricsSettings,
    PollingSettings,
    ServerSettings,
    Settings,
    StoreSettings,
    WorkspaceSettings,
)

__all__ = [
    "AgreementSettings",
    "BillingSettings",
    "ConfigError",
    "JobsSettings",
    "LogSettings",
    "MetricsSettings",
    "PollingSettings",
    "Secret",
    "SecretError",
    "ServerSettings",
    "Settings",
    "StoreSettings",
    "WorkspaceSettings",
    "load",
]
