"""What every visit draws: page settings, sign-in gate, navigation. ``app.py`` is the server that runs this script."""

import streamlit as st

from core import installation, process_memory
from core.access import Role, profile
from pages._ui import demo_banner, frame, invitation, keys, sign_in, visitor, workspace_choice
from web import startup

st.set_page_config(page_title="Plumbline", page_icon=frame.ICON, layout="wide")

with frame.errors_shown(), frame.access_kept():
    startup.require_middleware()
    sign_in.require()
    visitor.require()
    if profile().signs_in:
        invitation.accept()
    workspace_choice.show()
    installation.check()
    home = st.Page(
        "pages/home/page.py",
        title="Home",
        icon=":material/home:",
        default=True,
        help="An introduction and recent work.",
    )
    data = st.Page(
        "pages/data/page.py",
        title="Data",
        icon=":material/table_chart:",
        url_path="data",
        help="Load tables, look at their columns and check them.",
    )
    automl = st.Page(
        "pages/automl/page.py",
        title="AutoML",
        icon=":material/model_training:",
        url_path="automl",
        help="Search for the best model of a table's target.",
    )
    finetune = st.Page(
        "pages/finetune/page.py",
        title="Fine-tuning",
        icon=":material/notes:",
        url_path="finetune",
        help="Teach a language model to label texts.",
    )
    federated = st.Page(
        "pages/federated/page.py",
        title="Federated",
        icon=":material/hub:",
        url_path="federated",
        help="Train one model from tables that stay with their owners.",
    )
    fairness = st.Page(
        "pages/fairness/page.py",
        title="Fairness",
        icon=":material/balance:",
        url_path="fairness",
        help="Compare how groups of people are treated.",
    )
    edge = st.Page(
        "pages/edge/page.py",
        title="Edge",
        icon=":material/speed:",
        url_path="edge",
        help="Export models to ONNX and measure their latency.",
    )
    models = st.Page(
        "pages/models/page.py",
        title="Models",
        icon=":material/inventory_2:",
        url_path="models",
        help="Registered models with versions, cards and scoring.",
    )
    pipelines = st.Page(
        "pages/pipelines/page.py",
        title="Pipelines",
        icon=":material/account_tree:",
        url_path="pipelines",
        help="Run Azure ML pipeline files on this machine.",
    )
    runs = st.Page(
        "pages/runs/page.py",
        title="Runs",
        icon=":material/list_alt:",
        url_path="runs",
        help="All background work with logs and files.",
    )
    alone = not profile().signs_in
    workspace = st.Page(
        "pages/workspace/page.py",
        title="Alert channels" if alone else "Workspace",
        icon=":material/notifications:" if alone else ":material/group:",
        url_path="workspace",
        help="Where alerts are sent to." if alone else "The people of this workspace, and your other workspaces.",
    )
    audit = st.Page(
        "pages/audit/page.py", title="Audit log", icon=":material/history:", url_path="audit", help="What people did."
    )
    areas = {
        "": [home],
        "Build": [data, automl, finetune, federated],
        "Check": [fairness],
        "Ship": [models, edge, pipelines],
        "Watch": [runs, workspace] if alone else [runs],
    }
    if not alone:  # elsewhere, and for others than admins, the address of the audit log does not exist
        areas["Team"] = [workspace, audit] if frame.access().may(Role.ADMIN) else [workspace]
    page = st.navigation(areas)
    keys.set_page(page.url_path or "home", page.title)
    demo_banner.show()
    page.run()
process_memory.settle()
