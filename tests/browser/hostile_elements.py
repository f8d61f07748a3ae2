"""A page for a test: every element that reads Markdown, once for each hostile name. The address names the kind."""

import pandas as pd
import streamlit as st

from pages._ui import badges
from pages._ui.frame import plain, show_error
from tests.hostile import NAMES

TEXTS = [plain(name) for name in NAMES]
ALL = "\n\n".join(TEXTS)


@st.dialog(TEXTS[0] + TEXTS[9] + TEXTS[16])
def dialog() -> None:
    for text in TEXTS:
        st.write(text)


def tabs() -> None:
    for start in range(0, len(TEXTS), 10):
        st.tabs(TEXTS[start : start + 10])


def toast() -> None:
    for text in TEXTS[:40:8]:
        st.toast(text)


def helps() -> None:
    st.button("Press", help=ALL, key="press")
    st.metric("Metric", 1, help=ALL)
    st.selectbox("Choose", [1], help=ALL)
    st.caption("A caption", help=ALL)


KINDS = {
    "markdown": lambda: [st.markdown(text) for text in TEXTS],
    "write": lambda: [st.write(f"Column {text}: 5 values") for text in TEXTS],
    "bold": lambda: [st.write(f"x **{text or '–'}** x") for text in TEXTS],
    "list": lambda: [st.markdown(f"- {text}\n- {text}") for text in TEXTS],
    "caption": lambda: [st.caption(text) for text in TEXTS],
    "title": lambda: [st.title(text) for text in TEXTS],
    "subheader": lambda: [st.subheader(text) for text in TEXTS],
    "error": lambda: [show_error(name, name) for name in NAMES],
    "info": lambda: [st.info(text, title=text) for text in TEXTS],
    "button": lambda: [st.button(text, key=f"b{index}") for index, text in enumerate(TEXTS)],
    "checkbox": lambda: [st.checkbox(text, key=f"c{index}") for index, text in enumerate(TEXTS)],
    "selectbox": lambda: [st.selectbox(text, [text], key=f"s{index}") for index, text in enumerate(TEXTS)],
    "radio": lambda: st.radio("Choose", TEXTS, captions=TEXTS),
    "pills": lambda: st.pills("Choose", TEXTS),
    "segments": lambda: st.segmented_control("Choose", TEXTS[:20]),
    "input": lambda: [st.text_input(text, key=f"t{index}") for index, text in enumerate(TEXTS)],
    "metric": lambda: [st.metric(text, text, text) for text in TEXTS],
    "expander": lambda: [st.expander(text).write("x") for text in TEXTS],
    "popover": lambda: [st.popover(text).write("x") for text in TEXTS],
    "status": lambda: [st.status(text) for text in TEXTS],
    "progress": lambda: [st.progress(0.5, text=text) for text in TEXTS],
    "badge": lambda: [badges.show(badges.Badge(text, "blue", ":material/check:")) for text in TEXTS],
    "download": lambda: [st.download_button(text, b"", key=f"d{index}") for index, text in enumerate(TEXTS)],
    "uploader": lambda: [st.file_uploader(text, key=f"u{index}") for index, text in enumerate(TEXTS[:12])],
    "table": lambda: st.table(pd.DataFrame({"a": TEXTS}, index=TEXTS)),
    "head": lambda: st.table(pd.DataFrame([[1] * 12], columns=TEXTS[:12])),
    "tabs": tabs,
    "toast": toast,
    "dialog": dialog,
    "help": helps,
    "unescaped": lambda: [st.markdown(name) for name in NAMES],
}
RAW = {  # what the app shows as it is: nothing reads Markdown there
    "text": lambda: [st.text(name) for name in NAMES],
    "code": lambda: st.code("\n".join(NAMES), language=None),
    "json": lambda: st.json({name: name for name in NAMES}),
    "options": lambda: st.selectbox("Choose", NAMES),
    "values": lambda: [st.text_input("Value", name, key=f"v{index}") for index, name in enumerate(NAMES)],
    "frame": lambda: st.dataframe(pd.DataFrame({name: list(NAMES) for name in NAMES[:8]})),
}

if __name__ == "__main__":
    (KINDS | RAW)[st.query_params["kind"]]()
