"""Every metric family, declared once. The page, the reference and the checks of dashboards and rules are made from it."""

from exporter.catalogue.cost import COST
from exporter.catalogue.family import Family, Subject
from exporter.catalogue.jobs import DEFINITIONS, HISTORY
from exporter.catalogue.live import LIVE
from exporter.catalogue.own import OWN
from exporter.catalogue.results import RESULTS
from exporter.catalogue.tables import TABLES

SUBJECTS: tuple[Subject, ...] = (LIVE, RESULTS, DEFINITIONS, HISTORY, COST, TABLES, OWN)
FAMILIES: tuple[Family, ...] = tuple(family for subject in SUBJECTS for family in subject.families)

__all__ = ["FAMILIES", "SUBJECTS", "Family", "Subject"]
