"""`app.py` is the server's definition, and the pages where something runs it as a script."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parents[2]


def test_as_a_script_it_draws_the_pages(home: Path) -> None:
    test = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    assert not test.exception
    assert test.button
    test.switch_page("pages/runs/page.py").run()
    assert "No runs yet" in " ".join(item.value for item in test.info)
