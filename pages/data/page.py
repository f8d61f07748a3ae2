"""The Data page: read tables in, see what is in them, and what could go wrong with them."""

import streamlit as st

from core.catalog import datasets
from pages._ui import frame, header, tabs
from pages.data import detail, intake, listing
from pages.data import roles as roles_form

dataset_id = st.query_params.get("dataset")
if dataset_id is not None:
    with header.lookup("Dataset", back="All datasets"):
        dataset = datasets.get(dataset_id, frame.workspace())
    detail.head(dataset)
    tabs.show(
        {
            "Columns": lambda: detail.columns(dataset),
            "Preview": lambda: detail.preview(dataset),
            "Checks": lambda: detail.checks(dataset),
            "Roles": lambda: roles_form.form(dataset),
        },
        key="data-tabs",
    )
else:
    with header.lookup("Import", back="All datasets"):
        imported = intake.imported()
    header.show("Data", "Bring a table in, see its columns, and learn what could go wrong with it.")
    known = datasets.find(frame.workspace())
    intake.running(imported)
    intake.upload_or_sample(first=not known)
    if known:
        listing.show(known)
