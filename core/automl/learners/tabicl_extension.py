"""Adds TabICL to the learners; loaded like an extension, where the installation names a checkpoint of it."""

from core.automl.learners.registry import LEARNERS, TABICL
from core.automl.learners.tabicl_learner import is_offered

if is_offered():
    LEARNERS.add(TABICL)
