"""Plumbline's entry: page settings, sign-in gate, navigation. Start with ``streamlit run app.py``."""

import streamlit as st

from pages._ui import frame

st.set_page_config(page_title="Plumbline", page_icon=":material/straighten:", layout="wide")

with frame.errors_shown():
    frame.reload_first_deep_link()
    frame.require_sign_in()
    page = st.navigation(
        {
            "": [
                st.Page(
                    "pages/home/page.py",
                    title="Home",
                    icon=":material/home:",
                    default=True,
                    help="Where to begin, and what happened last.",
                )
            ],
            "Build": [
                st.Page(
                    "pages/data/page.py",
                    title="Data",
                    icon=":material/table_chart:",
                    url_path="data",
                    help="Upload a table or load a sample, look at its columns and at what could go wrong.",
                ),
                st.Page(
                    "pages/automl/page.py",
                    title="AutoML",
                    icon=":material/model_training:",
                    url_path="automl",
                    help="Search for the best model within a time budget, and see how good it is on unseen rows.",
                ),
                st.Page(
                    "pages/fairness/page.py",
                    title="Fairness",
                    icon=":material/balance:",
                    url_path="fairness",
                    help="Compare groups of people, move thresholds, and find a rule that you can defend.",
                ),
            ],
            "Watch": [
                st.Page(
                    "pages/runs/page.py",
                    title="Runs",
                    icon=":material/list_alt:",
                    url_path="runs",
                    help="All background work: state, progress, log; cancel, resume or repeat it.",
                )
            ],
        }
    )
    page.run()
