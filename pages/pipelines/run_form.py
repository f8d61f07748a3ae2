"""The form that runs a pipeline: values of its inputs, the data that it reads, steps to run again, and the approval."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.catalog import Dataset, datasets
from core.errors import InputError, PlumblineError
from core.pipelines import Data, Given, Pipeline, Port, typed_value
from core.tasks import pipeline as pipeline_task
from pages._ui import address, frame, lookups
from pages.pipelines import approval
from pages.pipelines.reading import Reading

__all__ = ["show"]

_AS_STATED = ""  # the choice that no dataset has


def show(
    reading: Reading,
    text: str,
    files: Mapping[str, str],
    *,
    title: str,
    saved: str,
    given: Mapping[str, object],
    key: str,
) -> None:
    """Draw the form.

    Parameters
    ----------
    reading : Reading
        Result of reading the pipeline.
    text : str
        Text of its file.
    files : dict of str to str
        Digests of the files beside it, by relative path.
    title : str
        Title of the run.
    saved : str
        Id of the saved pipeline; empty for none.
    given : dict of str to object
        Values that an earlier run was given, which the form begins with.
    key : str
        Start of the keys of the widgets.
    """
    pipeline = reading.pipeline
    if pipeline is None:
        return
    values = _fields(pipeline, given, key) | _named_data(pipeline, given, key)
    resolved = _assets(reading, values)
    again = st.multiselect(
        "Run again, also where outputs are kept",
        [step["path"] for step in reading.plan["steps"]],
        key=f"{key}-again",
        placeholder="None: steps run where something changed",
        help="These steps run with all that need them. Without it a step runs when its code, parameters, inputs or "
        "packages changed.",
    )
    if not approval.show(reading):
        return
    if st.button("Run", type="primary", icon=":material/play_arrow:", disabled=not resolved, key=f"{key}-run"):
        with frame.errors_shown():
            inputs = _checked(pipeline, values)
            run_id = pipeline_task.submit(
                text, files=files, inputs=inputs, title=title, saved=saved, rerun_from=again, access=frame.access()
            )
            st.session_state["pipelines-started"] = run_id
    if (started := st.session_state.pop("pipelines-started", None)) is not None:
        address.go(run=started)


def _fields(pipeline: Pipeline, given: Mapping[str, object], key: str) -> dict[str, object]:
    """Draw the fields in two columns, and return what is in them."""
    if not pipeline.inputs:
        return {}
    columns = st.columns(2, gap="medium") if len(pipeline.inputs) > 1 else [st.container()]
    values = {}
    for index, (name, port) in enumerate(pipeline.inputs.items()):
        with columns[index * len(columns) // len(pipeline.inputs)]:  # the first half is in the first column
            values[name] = _field(pipeline, port, given.get(name), f"{key}-{name}")
    return values


def _named_data(pipeline: Pipeline, given: Mapping[str, object], key: str) -> dict[str, object]:
    """Draw a choice of a dataset for each name of data in the steps, and return what takes its place."""
    values = {}
    for data in pipeline_task.needed_assets(pipeline, list(pipeline.inputs)):
        assert data.asset is not None
        name = data.asset.name
        if name in pipeline.inputs:  # its field is there already
            continue
        values[name] = _data_field(Port(name, data.type), data, given.get(name), f"{key}-data-{name}")
    return values


def _field(pipeline: Pipeline, port: Port, given: object, key: str) -> object:
    """Draw the field of one input and return what is in it: the id of a dataset for data; None for no value."""
    own = pipeline.values.get(port.name)
    if port.is_data:
        return _data_field(port, own if isinstance(own, Data) else None, given, key)
    start = given if given is not None else own.value if isinstance(own, Given) else port.default
    label = port.name if not port.optional else f"{port.name} (optional)"
    help = frame.plain(port.description) if port.description else None
    if port.type == "boolean":
        address.follow(str(start).lower() == "true", key)
        return st.checkbox(frame.plain(label), key=key, help=help)
    if port.choices:
        address.follow(start if start in port.choices else None, key)
        return st.selectbox(frame.plain(label), port.choices, key=key, help=help, placeholder="No value")
    bounds = [
        f"at least {port.low}" if port.low is not None else "",
        f"at most {port.high}" if port.high is not None else "",
    ]
    within = ", ".join(bound for bound in bounds if bound)
    if within:
        label += f" ({within})"
    # A number is typed as text: a number's field would round what the file says, and cannot be empty.
    address.follow("" if start is None else str(start), key)
    typed = st.text_input(frame.plain(label), key=key, help=help, placeholder=f"{port.type}, none given")
    if typed == "" and (port.optional or port.type != "string"):
        return None
    with frame.errors_shown():
        typed_value(port, typed)
    return typed


def _data_field(port: Port, own: Data | None, given: object, key: str) -> object:
    known = {dataset.id: dataset for dataset in datasets.find(access=frame.access())}
    if isinstance(given, str) and given not in known and (earlier := lookups.existing_dataset(given)) is not None:
        known[given] = earlier
    file_says = None if own is None else own.text
    options = [*([_AS_STATED] if file_says is not None or port.optional else []), *known]
    nothing = "No data" if file_says is None else f"As the file says: {file_says}"
    address.follow(given if given in known else _AS_STATED if _AS_STATED in options else None, key)
    chosen = st.selectbox(
        frame.plain(port.name),
        options,
        format_func=lambda choice: nothing if choice == _AS_STATED else lookups.dataset_title(known[choice]),
        key=key,
        help=frame.plain(port.description) if port.description else None,
        placeholder="Choose a dataset",
    )
    return None if chosen == _AS_STATED else chosen


def _checked(pipeline: Pipeline, values: Mapping[str, object]) -> dict[str, object]:
    """Return the values of the run: those that the form has, of the type that each input declares."""
    checked: dict[str, object] = {}
    for name, port in pipeline.inputs.items():
        value = values[name]
        if value is None or (value == "" and port.optional):
            if not port.optional and (port.is_data or port.default is None) and name not in pipeline.values:
                raise InputError(f"The input '{name}' has no value.", "Give it one.")
            continue
        checked[name] = value if port.is_data else typed_value(port, value)
    named = {name: value for name, value in values.items() if name not in pipeline.inputs and value is not None}
    return checked | named


def _assets(reading: Reading, values: Mapping[str, object]) -> bool:
    """Say which dataset each name of the file is, and return whether all that are needed are here."""
    lines: list[str] = []
    complete = True
    given = {name for name, value in values.items() if value is not None}
    assert reading.pipeline is not None
    for data in pipeline_task.needed_assets(reading.pipeline, given):
        assert data.asset is not None
        try:
            dataset = pipeline_task.dataset_of(data.asset, access=frame.access())
        except PlumblineError as error:
            complete = False
            frame.show_error(f"Line {data.position.line}: {error.message}", error.hint)
            st.page_link("pages/data/page.py", label="Go to Data", icon=":material/arrow_forward:")
            continue
        lines.append(f"{frame.plain(data.text)} is {_named(dataset)}")
    if lines:
        st.caption("  \n".join(lines))
    return complete


def _named(dataset: Dataset) -> str:
    return f"{frame.plain(dataset.name)}, version {dataset.number}, {dataset.rows:,} rows"
