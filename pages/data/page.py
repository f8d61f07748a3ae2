"""The Data page: read tables in, see what is in them, and what could go wrong with them."""

import streamlit as st

from core.catalog import datasets
from pages._ui import frame
from pages.data import detail, intake, listing
from pages.data import roles as roles_form

selected = st.query_params.get("dataset")
if selected is not None:
    dataset = datasets.get(selected, frame.workspace())
    detail.head(dataset)
    columns, preview, checks, roles = st.tabs(
        ["Columns", "Preview", "Checks", "Roles"], key="data-tabs", on_change="rerun"
    )
    if columns.open:
        with columns:
            detail.columns(dataset)
    if preview.open:
        with preview:
            detail.preview(dataset)
    if checks.open:
        with checks:
            detail.checks(dataset)
    if roles.open:
        with roles:
            roles_form.form(dataset)
else:
    frame.head("Data", "Bring a table in, see its columns, and learn what could go wrong with it.")
    known = datasets.find(frame.workspace())
    intake.running()
    intake.upload_or_sample(first=not known)
    if known:
        listing.show(known)
