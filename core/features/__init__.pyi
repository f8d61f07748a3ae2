from ._cells import (
    DATE_PARTS,
    LARGEST,
    MISSING,
    NO_DATE,
    as_categories,
    as_dates,
    as_doubles,
    as_numbers,
    as_seconds,
    date_features,
    describe_cells,
    require_columns,
)
from ._column_types import check_types
from ._encoder import TableEncoder
from ._feature_steps import FeatureStep, feature_steps
from ._groups import FeatureGroups, feature_groups
from ._plan import ColumnPlan, plan_columns
from ._text import TextFeatures, as_words

__all__ = [
    "DATE_PARTS",
    "LARGEST",
    "MISSING",
    "NO_DATE",
    "ColumnPlan",
    "FeatureGroups",
    "FeatureStep",
    "TableEncoder",
    "TextFeatures",
    "as_categories",
    "as_dates",
    "as_doubles",
    "as_numbers",
    "as_seconds",
    "as_words",
    "check_types",
    "date_features",
    "describe_cells",
    "feature_groups",
    "feature_steps",
    "plan_columns",
    "require_columns",
]
