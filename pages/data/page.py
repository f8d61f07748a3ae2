"""The Data page: import tables, see their content, and what could go wrong with them."""

import streamlit as st

from core.catalog import datasets
from pages._ui import deletion, frame, header, tabs
from pages.data import (
    checks,
    column,
    columns,
    correlations,
    history,
    import_preview,
    imports,
    listing,
    next_steps,
    prepare,
    preview,
    reading,
    roles,
    versions,
)
from pages.data import dataset as dataset_head

dataset_id = st.query_params.get("dataset")
if dataset_id is not None:
    with header.lookup("Dataset", back="All datasets"):
        dataset = datasets.get(dataset_id, access=frame.access())
        frame.opened("dataset", dataset.id, dataset.name)
    if (column_name := st.query_params.get("column")) is not None:
        column.show(dataset, column_name)
        st.stop()
    with header.lookup("Preparation", back="Back to the dataset", query={"dataset": dataset_id}):
        preparing = history.preparing()
    dataset_head.head(dataset)
    next_steps.show(dataset)
    history.running(dataset, preparing)
    tabs.show(
        {
            "Columns": lambda: columns.show(dataset),
            "Correlations": lambda: correlations.show(dataset),
            "Preview": lambda: preview.show(dataset),
            "Prepare": lambda: prepare.show(dataset),
            "Versions": lambda: versions.show(dataset),
            "Reading": lambda: reading.show(datasets.get(dataset.family_id, access=frame.access())),
            "Checks": lambda: checks.show(dataset),
            "Roles": lambda: roles.show(dataset),
        },
        key="data-tabs",
    )
else:
    with header.lookup("Import", back="All datasets"):
        imported = imports.imported()
    if imported is not None and imports.is_previewed(imported):
        import_preview.show(imported)
    else:
        header.show("Data", "Import a table, look at its columns, and check what could go wrong with it.")
        deletion.notices("dataset")
        known = datasets.find(access=frame.access())
        imports.running(imported)
        imports.upload_or_sample(first=not known)
        if known:
            listing.show(known)
