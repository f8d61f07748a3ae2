"""From a raw table and settings to the data of a search: target, test split, features, folds."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from core.automl._settings import AutoMLSettings
from core.automl._types import Codes, Features, Groups, Label, Target, Weights
from core.automl.data.positive_class import OrderedLabels, order_labels
from core.automl.data.scorable import scorable
from core.automl.data.splits import Roles, make_folds, split_roles
from core.automl.data.training_data import TrainingData
from core.automl.data.weights import read_weights, require_weight, unweighted_rows
from core.columns import require_columns
from core.datasets import Finding, infer_task, whole_numbers
from core.errors import InputError, SettingsError
from core.evaluation import METRICS, resolve_metric
from core.features import LARGEST, FeatureGroups, TableEncoder, as_dates, as_seconds, check_types, feature_groups

__all__ = ["Prepared", "prepare"]

MAX_CLASSES = 200


@dataclass
class Prepared:
    """Everything that is fixed before the first trial.

    Parameters
    ----------
    task, metric : str
        Task, and key of the metric to optimize.
    encoder : TableEncoder
        Features, fitted on the training rows.
    data : TrainingData
        Encoded training rows and folds.
    X_test, y_test : arrays
        Encoded test rows.
    train_rows, test_rows : arrays of int
        Positions of the rows in the given frame.
    labels : list or None
        Labels of the target by code; None for regression.
    split_method : str
        Description of the folds.
    findings : list of Finding
        Notices about the table and the splits.
    test_groups : array of int, optional
        Groups of the test rows, coded as those of ``data``.
    test_weights : array, optional
        Weights of the test rows.
    positive_reason : str, default=""
        Why the last label of two is the positive class.
    """

    task: str
    metric: str
    encoder: TableEncoder
    data: TrainingData
    X_test: Features
    y_test: Target
    train_rows: Codes
    test_rows: Codes
    labels: list[Label] | None
    split_method: str
    findings: list[Finding] = field(default_factory=list)
    test_groups: Groups | None = None
    test_weights: Weights | None = None
    positive_reason: str = ""

    @property
    def label_names(self) -> list[str] | None:
        """The labels as text."""
        return None if self.labels is None else [str(label) for label in self.labels]


def _require_storable(frame: pd.DataFrame) -> None:
    """Raise when columns have no unique names, or hold values that a stored table cannot have."""
    named: set[str] = set()
    for name, dtype in zip(frame.columns, frame.dtypes, strict=True):
        if not isinstance(name, str) or name in named:
            problem = "is there twice" if isinstance(name, str) else "is not a text"
            raise InputError(
                f"The column name {name!r} {problem}; each column needs a text of its own as its name.",
                "Rename the columns, `frame.columns = [...]`.",
            )
        named.add(name)
        cell_type = dtype.categories.dtype if isinstance(dtype, pd.CategoricalDtype) else dtype
        if isinstance(cell_type, pd.IntervalDtype | pd.SparseDtype) or types.is_complex_dtype(cell_type):
            raise InputError(
                f"'{name}' holds values of the type {cell_type}, which no model here takes.",
                f"Convert them to texts or plain numbers, such as `frame[{name!r}].astype(str)`.",
            )


def _require_settings_columns(frame: pd.DataFrame, settings: AutoMLSettings) -> None:
    """Raise when a column that the settings name is not in the table."""
    columns = [settings.target, *settings.drop_columns, *settings.sensitive_columns]
    columns += [*settings.column_types, *settings.column_imputation, *settings.monotone]
    roles = (settings.time_column, settings.group_column, settings.weight_column)
    columns += [name for name in roles if name is not None]
    require_columns(frame.columns, columns)


def _classes(values: pd.Series, settings: AutoMLSettings) -> tuple[Codes, OrderedLabels]:
    labels: list[Label] = sorted(values.unique().tolist(), key=lambda label: (str(type(label)), label))
    if len(labels) < 2:
        raise InputError(
            f"The target '{settings.target}' has only one value ({labels[0]!r}).", "Choose a target that varies."
        )
    if len(labels) > MAX_CLASSES:
        raise InputError(
            f"The target '{settings.target}' has {len(labels):,} classes; the maximum is {MAX_CLASSES}.",
            "Group rare classes, or choose another target.",
        )
    ordered = order_labels(labels, settings.positive_label, settings.target)
    return pd.Categorical(values, categories=ordered.labels).codes.astype(np.intp), ordered


def _target(
    frame: pd.DataFrame, settings: AutoMLSettings, weights: Weights | None
) -> tuple[str, Codes, Target, OrderedLabels | None]:
    """Return the task, the positions of usable rows, their target values coded, and the labels."""
    column = frame[settings.target]
    if types.is_float_dtype(column.dtype):
        column = column.where(np.isfinite(column.to_numpy(dtype=float, na_value=np.nan)))
    known = column.notna().to_numpy()
    rows = np.flatnonzero(known if weights is None else known & ~np.isnan(weights))
    values = column.iloc[rows]
    task = infer_task(column) if settings.task == "auto" else settings.task
    if task != "regression":
        codes, ordered = _classes(whole_numbers(column).iloc[rows], settings)
        count = len(ordered.labels)
        if settings.task == "binary" and count != 2:
            raise SettingsError(
                f"The target '{settings.target}' has {count} classes, not two.", "Set the task to multiclass."
            )
        return ("binary" if count == 2 else "multiclass"), rows, codes, ordered
    try:
        numbers = pd.to_numeric(values).to_numpy(dtype=float)
    except (ValueError, TypeError) as error:
        raise InputError(
            f"The target '{settings.target}' is not a number in every row ({error}).", "Choose a classification task."
        ) from error
    if (largest := np.abs(numbers).max(initial=0)) > LARGEST:
        raise InputError(
            f"The target '{settings.target}' reaches {largest:.2g}, and models predict numbers up to {LARGEST:.2g}.",
            "Write it in a larger unit, or predict its logarithm.",
        )
    return task, rows, numbers, None


def _roles(frame: pd.DataFrame, settings: AutoMLSettings, findings: list[Finding]) -> Roles:
    """Return the times, or the groups, of usable rows."""
    if settings.time_column is not None:
        return Roles(times=_times(frame[settings.time_column], settings.time_column, findings))
    if settings.group_column is not None:
        # Rows without a group may belong together, so they are on one side.
        return Roles(groups=pd.factorize(frame[settings.group_column], use_na_sentinel=False)[0].astype(np.intp))
    return Roles()


def _times(column: pd.Series, name: str, findings: list[Finding]) -> NDArray[np.float64]:
    if types.is_numeric_dtype(column.dtype):
        times = column.to_numpy(dtype=float, na_value=np.nan)
    else:
        dates = as_dates(column)
        times = np.where(dates.notna(), as_seconds(dates).astype(float), np.nan)
    unknown = ~np.isfinite(times)
    if unknown.all():
        raise InputError(f"The time column '{name}' holds neither dates nor numbers.", "Choose another time column.")
    if unknown.any():
        findings.append(
            Finding(
                "time",
                "notice",
                name,
                f"{int(unknown.sum()):,} of {len(column):,} rows have no time in '{name}'; they count as early.",
                "Fill them in if they are late.",
                {"rows": int(unknown.sum())},
            )
        )
    return np.where(unknown, -np.inf, times)


def _require_free_names(settings: AutoMLSettings, labels: list[Label] | None) -> None:
    """Raise when a column that is stored with the predictions has the name of one of the result's own."""
    own = {"row_id", "prediction", *(f"p({label})" for label in labels or ())}
    for name in (settings.target, *settings.sensitive_columns):
        if name in own:
            raise InputError(
                f"The column '{name}' has a name that a result needs for one of its own columns.",
                f"Rename it in the table (to '{name} known', say), and upload the table again.",
            )


def _feature_groups(encoder: TableEncoder, settings: AutoMLSettings, task: str) -> FeatureGroups:
    """Return what features may be made of, and the directions in which answers may change."""
    groups = feature_groups(encoder)
    if not settings.monotone:
        made = settings.feature_engineering and settings.featurization != "off"
        return groups if made else FeatureGroups()
    if task == "multiclass":
        raise SettingsError(
            f"Monotone relations need a number or two classes, and '{settings.target}' has more classes.",
            "Leave the relations out, or join classes until two are left.",
        )
    positions = groups.numbers | groups.shifted
    directions = [0] * len(encoder.get_feature_names_out())
    for name, direction in settings.monotone.items():
        if name not in positions:
            types_by_name = dict(zip(encoder.columns_, encoder.kinds_, strict=True))
            raise SettingsError(
                f"'{name}' cannot have a monotone relation: it is used as {types_by_name.get(name, 'nothing')}.",
                "Choose columns of numbers or dates.",
            )
        directions[positions[name]] = 1 if direction == "increasing" else -1
    return FeatureGroups(monotone=directions)


def prepare(frame: pd.DataFrame, settings: AutoMLSettings) -> Prepared:
    """Validate, split off the test, fit the features on the training rows only, make the folds.

    Parameters
    ----------
    frame : DataFrame
        The raw table.
    settings : AutoMLSettings
        Settings of the search.

    Raises
    ------
    InputError
        When the table cannot be learned from as asked.
    SettingsError
        When the settings do not fit the table.
    """
    _require_storable(frame)
    _require_settings_columns(frame, settings)
    weights = None if settings.weight_column is None else read_weights(frame[settings.weight_column])
    task, rows, y, ordered = _target(frame, settings, weights)
    labels = None if ordered is None else ordered.labels
    _require_free_names(settings, labels)
    metric = resolve_metric(settings.metric, task)
    if task not in METRICS[metric].tasks:
        raise SettingsError(f"The metric '{metric}' does not fit a {task} target.", "Choose another, or auto.")
    findings = [] if weights is None else unweighted_rows(weights, str(settings.weight_column))
    missing = len(frame) - len(rows) - sum(finding.values["rows"] for finding in findings)
    if missing:
        findings.append(
            Finding(
                "missing_target",
                "notice",
                settings.target,
                f"{missing:,} of {len(frame):,} rows have no '{settings.target}' and are left out.",
                "Fill them in if they should count.",
                {"rows": missing},
            )
        )
    roles = _roles(frame.iloc[rows], settings, findings)
    train, test = split_roles(y, labels is not None, settings.test_fraction, settings.seed, roles)
    if weights is not None:
        weights = weights[rows]
        require_weight(weights, train, str(settings.weight_column), "training")
        require_weight(weights, test, str(settings.weight_column), "test")
        weights = weights / weights[train].mean()  # so that their unit does not matter to penalties
    roles_only = {settings.time_column, settings.group_column} - set(settings.column_types)
    left_out = {settings.target, settings.weight_column, *settings.drop_columns, *roles_only}
    features = frame.drop(columns=[name for name in frame.columns if name in left_out]).iloc[rows]
    if settings.featurization == "off":
        other = [str(name) for name in features.columns if not types.is_numeric_dtype(features[name].dtype)]
        if other:
            raise SettingsError(
                f"Featurization is off, and {', '.join(map(repr, other[:5]))} hold no numbers.",
                "Drop these columns, or set featurization to auto.",
            )
    findings += check_types(features, settings.column_types)
    encoder = TableEncoder(
        column_types=settings.column_types or None,
        imputation=settings.imputation,
        column_imputation=settings.column_imputation or None,
    )
    X_train = encoder.fit(features.iloc[train]).transform(features.iloc[train])
    findings += encoder.findings()
    folds = make_folds(y[train], labels is not None, settings, roles.take(train))
    train_weights = None if weights is None else weights[train]
    folds, fold_findings = scorable(folds, y[train], len(labels or ()), metric, train_weights)
    findings += fold_findings
    return Prepared(
        task=task,
        metric=metric,
        encoder=encoder,
        data=TrainingData(
            X_train,
            y[train],
            len(labels or ()),
            folds.pairs,
            settings.class_weights,
            roles.take(train).groups,
            train_weights,
            _feature_groups(encoder, settings, task),
        ),
        X_test=encoder.transform(features.iloc[test]) if len(test) else X_train[:0],
        y_test=y[test],
        train_rows=rows[train],
        test_rows=rows[test],
        labels=labels,
        split_method=folds.method,
        findings=findings,
        test_groups=roles.take(test).groups,
        test_weights=None if weights is None else weights[test],
        positive_reason="" if ordered is None else ordered.reason,
    )
