"""The Models page: what was registered, which version counts, and what it says of new rows."""

import streamlit as st

from core import models
from pages._ui import frame, header, lookups
from pages.models import listing, register, scored, single

workspace = frame.workspace()
query = st.query_params

if "run" in query:
    with header.lookup("Scored file", back="All models"):
        run = lookups.run(query["run"], "score", what="a scored file")
        version = scored.version_of(run)
    scored.show(run, version)
elif "register" in query:
    with header.lookup("Run", back="All models"):
        run = register.find_run(query["register"])
    register.show(run)
elif "model" in query:
    with header.lookup("Model", back="All models"):
        model = models.get(query["model"], workspace=workspace)
    single.show(model)
else:
    header.show("Models", "Keep the models that are worth it: numbered versions, which one counts, and why.")
    listing.show(models.find(workspace=workspace))
