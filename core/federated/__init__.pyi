from ._settings import MIN_COUNT, FederatedSettings
from .aggregation import AGGREGATIONS, Aggregation
from .algorithms.registry import ALGORITHMS, Algorithm
from .algorithms.state import RoundRecord
from .evidence.site_evidence import SiteEvidence
from .messages import COMMON, MESSAGES, MessageKind
from .privacy import Privacy, noise_for, spent_epsilon
from .result import FederatedResult
from .simulation import federate, join_tables

__all__ = [
    "AGGREGATIONS",
    "ALGORITHMS",
    "COMMON",
    "MESSAGES",
    "MIN_COUNT",
    "Aggregation",
    "Algorithm",
    "FederatedResult",
    "FederatedSettings",
    "MessageKind",
    "Privacy",
    "RoundRecord",
    "SiteEvidence",
    "federate",
    "join_tables",
    "noise_for",
    "spent_epsilon",
]
