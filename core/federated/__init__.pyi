from ._settings import MIN_COUNT, FederatedSettings
from .aggregation import AGGREGATIONS, Aggregation
from .algorithms.registry import ALGORITHMS, Algorithm
from .algorithms.state import RoundRecord
from .evidence.site_evidence import SiteEvidence
from .messages import COMMON, MESSAGES, MessageKind
from .network.coordinate import coordinate
from .network.site_states import SITE_STATES, read_states
from .network.study_folder import NetworkSettings, create_study, load_study
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
    "SITE_STATES",
    "Aggregation",
    "Algorithm",
    "FederatedResult",
    "FederatedSettings",
    "FederatedTextResult",
    "FederatedTextSettings",
    "MessageKind",
    "NetworkSettings",
    "Privacy",
    "RoundRecord",
    "SiteEvidence",
    "coordinate",
    "create_study",
    "federate",
    "federate_texts",
    "join_tables",
    "load_study",
    "noise_for",
    "read_states",
    "spent_epsilon",
]
