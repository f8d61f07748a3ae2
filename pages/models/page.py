"""The Models page: registered models, their versions and cards, and the scoring of new rows."""

import streamlit as st

from core import models
from pages._ui import address, deletion, frame, header, lookups
from pages.models import listing, register, scored_file
from pages.models import model as model_page

access = frame.access()
query = st.query_params

if "run" in query:
    with header.lookup("Scored file", back="All models"):
        run = lookups.run(query["run"], "score", "monitor", "monitor_check", what="a scored file")
        if run.task != "score":
            address.go(model=run.settings["model"], tab="Monitor")
        version = scored_file.version_of(run)
    scored_file.show(run, version)
elif "register" in query:
    with header.lookup("Run", back="All models"):
        run = register.find_run(query["register"])
    register.show(run)
elif "model" in query:
    with header.lookup("Model", back="All models"):
        model = models.get(query["model"], access=access)
        frame.opened("model", model.id, model.name)
    model_page.show(model)
else:
    header.show("Models", "Register models, compare their versions, promote a champion, and score new rows.")
    deletion.notices("model", "version")
    listing.show(models.find(access=access))
