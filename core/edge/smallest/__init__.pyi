from .answer import describe_candidate
from .judging import LIMITS, Judgment, loss_text
from .report import Answer, Candidate, CandidateReport, RefusedCandidate, SmallestReport
from .search import SmallestTarget, find_smallest
from .settings import SmallestSettings

__all__ = [
    "LIMITS",
    "Answer",
    "Candidate",
    "CandidateReport",
    "Judgment",
    "RefusedCandidate",
    "SmallestReport",
    "SmallestSettings",
    "SmallestTarget",
    "describe_candidate",
    "find_smallest",
    "loss_text",
]
