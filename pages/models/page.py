"""The Models page: what was registered, which version counts, and what it says of new rows."""

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from core import jobs, models
from core.errors import NotFoundError
from pages._ui import address, frame
from pages.models import listing, register, scored, single

T = TypeVar("T")

workspace = frame.workspace()
asked = st.query_params


def known(find: Callable[[], T]) -> T:
    """Find what the address names; where it is gone, draw the way back above the error."""
    try:
        return find()
    except NotFoundError:
        if st.button("All models", icon=":material/arrow_back:", type="tertiary", key="models-back"):
            address.go()
        raise


if "run" in asked:
    scored.show(known(lambda: jobs.get(asked["run"], workspace=workspace)))
elif "register" in asked:
    register.show(asked["register"])
elif "model" in asked:
    single.show(known(lambda: models.get(asked["model"], workspace=workspace)))
else:
    frame.head("Models", "Keep the models that are worth it: numbered versions, which one counts, and why.")
    listing.show(models.find(workspace=workspace))
