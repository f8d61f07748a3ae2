from ._model import LabelledClassifier, make_model
from ._moved import METRICS, Comparison, Estimate, Metric, metric_choices
from ._presets import (
    BUDGET_PRESETS,
    SHORTEST_BUDGET_S,
    BudgetPreset,
    budget_warning,
    expected_trials,
    sensible_budget_s,
)
from ._settings import AutoMLSettings
from ._types import Label
from .data.positive_class import order_labels
from .data.prepare import Prepared, prepare
from .data.splits import Folds, make_folds
from .engineering.engineered_model import EngineeredClassifier, EngineeredModel, EngineeredRegressor
from .engineering.made_features import MADE_LIMIT, Arithmetic, GroupDifference, MadeFeature, TargetMeans
from .ensemble.blend import Blend, BlendClassifier, BlendRegressor
from .ensemble.calibration import LEAST_PROBABILITY, CalibratedClassifier
from .learners.additive_model import AdditiveModel
from .learners.build import build_estimator
from .learners.catboost_trees import CatBoostTrees
from .learners.neural_net import NeuralNet, NeuralNetClassifier, NeuralNetRegressor
from .learners.registry import LEARNERS, Learner, learner_title
from .learners.scaled_target import ScaledTargetRegressor
from .learners.space import Hyperparameter
from .results.bundle import BUNDLE_SOURCES, bundle, code_requirements
from .results.compare import compare_results, compare_tables, compare_trials
from .results.decision_figures import DecisionFigures, decision_figures, natural_frequency
from .results.feature_report import FeatureReport
from .results.final_model import describe_calibration, describe_final_model
from .results.hyperparameters import hyperparameter_importance, hyperparameter_table
from .results.later_test import add_test
from .results.learning_curve import CurvePoint, LearningCurve, describe_curve
from .results.model_file import load_model
from .results.model_packages import installed_packages, model_packages
from .results.result import AutoMLResult
from .results.row_evidence import evaluate_rows
from .results.winner_picture import PictureMember, WinnerPicture, winner_picture
from .tuning.budget import GRACE_S
from .tuning.phases import SearchPhase, search_phases
from .tuning.search import search
from .tuning.trials import Trial, Trials
from .tuning.warm_start import PREDICTIONS_FILE, kept_trials, load_predictions

__all__ = [
    "BUDGET_PRESETS",
    "BUNDLE_SOURCES",
    "GRACE_S",
    "LEARNERS",
    "LEAST_PROBABILITY",
    "MADE_LIMIT",
    "METRICS",
    "PREDICTIONS_FILE",
    "SHORTEST_BUDGET_S",
    "AdditiveModel",
    "Arithmetic",
    "AutoMLResult",
    "AutoMLSettings",
    "Blend",
    "BlendClassifier",
    "BlendRegressor",
    "BudgetPreset",
    "CalibratedClassifier",
    "CatBoostTrees",
    "Comparison",
    "CurvePoint",
    "DecisionFigures",
    "EngineeredClassifier",
    "EngineeredModel",
    "EngineeredRegressor",
    "Estimate",
    "FeatureReport",
    "Folds",
    "GroupDifference",
    "Hyperparameter",
    "Label",
    "LabelledClassifier",
    "Learner",
    "LearningCurve",
    "MadeFeature",
    "Metric",
    "NeuralNet",
    "NeuralNetClassifier",
    "NeuralNetRegressor",
    "PictureMember",
    "Prepared",
    "ScaledTargetRegressor",
    "SearchPhase",
    "TargetMeans",
    "Trial",
    "Trials",
    "WinnerPicture",
    "add_test",
    "budget_warning",
    "build_estimator",
    "bundle",
    "code_requirements",
    "compare_results",
    "compare_tables",
    "compare_trials",
    "decision_figures",
    "describe_calibration",
    "describe_curve",
    "describe_final_model",
    "evaluate_rows",
    "expected_trials",
    "hyperparameter_importance",
    "hyperparameter_table",
    "installed_packages",
    "kept_trials",
    "learner_title",
    "load_model",
    "load_predictions",
    "make_folds",
    "make_model",
    "metric_choices",
    "model_packages",
    "natural_frequency",
    "order_labels",
    "prepare",
    "search",
    "search_phases",
    "sensible_budget_s",
    "winner_picture",
]
