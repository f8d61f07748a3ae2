from ._settings import MIN_COUNT, FederatedSettings
from .aggregation import AGGREGATIONS, Aggregation
from .algorithms.registry import ALGORITHMS, Algorithm
from .algorithms.state import RoundRecord
from .evidence.site_evidence import SiteEvidence
from .messages import COMMON, MESSAGES, MessageKind
from .privacy import Privacy, noise_for, spent_epsilon
from .result import FederatedResult
from .simulation import federate
from .tables import join_tables
from .texts.result import FederatedTextResult
from .texts.settings import FederatedTextSettings
from .texts.simulation import federate_texts

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
    "FederatedTextResult",
    "FederatedTextSettings",
    "MessageKind",
    "Privacy",
    "RoundRecord",
    "SiteEvidence",
    "federate",
    "federate_texts",
    "join_tables",
    "noise_for",
    "spent_epsilon",
]
