"""The rules of ARCHITECTURE.md that a fresh interpreter, or a look at the files, can hold true."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from core.automl import BUNDLE_SOURCES
from core.models import MLFLOW_SOURCES

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "transformers", "flaml", "lightgbm", "catboost", "xgboost", "shap", "fairlearn")


def loaded_by(statement: str) -> set[str]:
    """Return the top-level packages in a fresh interpreter after `statement`."""
    code = f"{statement}\nimport sys\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def core_modules() -> dict[str, Path]:
    paths = sorted((ROOT / "core").rglob("*.py"))
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in paths]
    modules = dict(zip(names, paths, strict=True))
    return {name: modules[name] for name in names if ".migrations" not in name and not name.endswith("__main__")}


@pytest.mark.nightly
def test_no_module_of_core_imports_streamlit() -> None:
    packages = loaded_by("\n".join(f"import {name}" for name in core_modules()))
    assert "streamlit" not in packages


def test_what_pages_import_of_core_is_light() -> None:
    imports = set()
    for path in [*(ROOT / "pages").rglob("*.py"), ROOT / "navigation.py"]:
        imports |= set(re.findall(r"^from (core[\w.]*) import", path.read_text(), flags=re.MULTILINE))
    assert imports
    packages = loaded_by("\n".join(f"import {name}" for name in sorted(imports)))
    assert not packages & {*HEAVY, "sklearn", "scipy"}


def test_no_page_script_directly_under_pages() -> None:
    # Streamlit would serve it without navigation.py, so without the frame and the sign-in gate.
    assert [path.name for path in (ROOT / "pages").glob("*.py") if path.name != "__init__.py"] == []


def test_every_page_is_registered_with_its_address() -> None:
    app = (ROOT / "navigation.py").read_text()
    pages = [path.relative_to(ROOT).as_posix() for path in (ROOT / "pages").glob("*/page.py")]
    assert len(pages) >= 4
    for page in pages:
        assert f'"{page}"' in app
    assert app.count("st.Page(") == len(pages)
    assert app.count("url_path=") == len(pages) - 1  # the default page lives at the root


def test_app_and_pages_stay_short() -> None:
    assert len((ROOT / "navigation.py").read_text().splitlines()) <= 120
    for path in (ROOT / "pages").rglob("*.py"):
        assert len(path.read_text().splitlines()) <= 250, path


def test_pages_write_no_colour_of_their_own() -> None:
    for path in (ROOT / "pages").rglob("*.py"):
        assert not re.search(r"['\"]#[0-9a-fA-F]{6}['\"]", path.read_text()), path


READERS = {"load_frame", "load_random_rows", "read_first_rows", "read_rows_at", "read_sample", "read_table"}
"""Functions of core that read stored rows, less or more of them."""


def unbounded_reads(path: Path) -> list[str]:
    """Return the names by which a file reads tables itself."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names if alias.name.split(".")[0] in ("pyarrow", "duckdb")]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module] if node.module.split(".")[0] in ("pyarrow", "duckdb") else []
            names += [alias.name for alias in node.names if alias.name in READERS]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("pd", "pandas"):
            names += [node.attr] if node.attr.startswith("read_") else []
    return names


def test_pages_read_stored_tables_in_one_place() -> None:
    """The web process holds so many rows and bytes of a table and no more; `pages/_ui/artifacts.py` sees to it."""
    one = ROOT / "pages" / "_ui" / "artifacts.py"
    assert unbounded_reads(one)
    for path in (ROOT / "pages").rglob("*.py"):
        assert path == one or not unbounded_reads(path), path


def test_unbounded_reads_are_seen(tmp_path: Path) -> None:
    path = tmp_path / "page.py"
    path.write_text(
        "import pandas as pd\nimport pyarrow.parquet as pq\npd.read_csv('x')\nfrom core.datasets import load_frame"
    )
    assert unbounded_reads(path) == ["pyarrow.parquet", "load_frame", "read_csv"]


def test_pages_record_downloads_in_one_place() -> None:
    """The export of the audit log records itself."""
    own = {ROOT / "pages/_ui/downloads.py", ROOT / "pages/audit/records.py"}
    files = {path for path in (ROOT / "pages").rglob("*.py") if "st.download_button(" in path.read_text()}
    assert files == own


@pytest.mark.parametrize("name", ["streamlit", "plotly", "altair", "pandas", "transformers", "torch", "fairlearn"])
def test_the_products_packages_are_required(name: str) -> None:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    assert any(re.match(rf"{name}\b", line) for line in lines)


def test_torch_is_pinned_exactly() -> None:
    assert "torch==2.13.0" in (ROOT / "requirements.txt").read_text().splitlines()


def test_readme_has_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text()
    assert "pip install -r requirements.txt && streamlit run app.py" in readme
    assert "pip install -r requirements-dev.txt && pytest" in readme


def test_every_setting_in_the_readme_exists() -> None:
    from core.settings import Settings

    named = re.findall(r"`PLUMBLINE_([A-Z_]+)`", (ROOT / "README.md").read_text())
    assert named
    assert {name.lower() for name in named} <= set(Settings.model_fields)


def test_places_to_change_exist() -> None:
    """Follow ARCHITECTURE.md, "Where to change X": files exist, and define the registries that it names there."""
    section = (ROOT / "ARCHITECTURE.md").read_text().split("## Where to change X")[1].split("## ")[0]
    rows = [line.split("|")[2] for line in section.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 10
    for row in rows:
        names: list[str] = []
        for word in re.findall(r"`([^`]+)`", row):
            if re.fullmatch(r"[A-Z][A-Z_]+", word):
                names.append(word)
            elif "/" in word and "<" not in word:
                assert (ROOT / word).exists(), word
                for name in names:
                    assert re.search(rf"^{name}\b", (ROOT / word).read_text(), re.MULTILINE), f"{name} in {word}"
                names = []


def test_status_names_tests_that_exist() -> None:
    status = (ROOT / "docs" / "status.md").read_text()
    paths = re.findall(r"`((?:tests|benchmarks)/[\w/.]+\.py)(?:::(\w+))?`", status)
    assert paths
    for path, function in paths:
        assert (ROOT / path).is_file(), path
        if function:
            assert f"def {function}(" in (ROOT / path).read_text(), f"{path}::{function}"


PRIVATE_AND_TESTED = {
    "core.automl._fitting",
    "core.datasets._delimited",
    "core.datasets._export",
    "core.datasets._limits",
    "core.models._fields",
    "core.models._intake",
    "core.models._mlflow_loader._load_pyfunc",  # MLflow calls it by this name
    "core.models._policy_applier",
    "core.tasks._uploads",
}
"""Modules with a private name that tests import all the same; none is added, and the list gets shorter."""


def private_imports(path: Path) -> set[str]:
    """Return the private modules and names of core that a file imports."""
    private = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{name}" for name in names]
        for name in names:
            parts = name.split(".")
            hidden = [index for index, part in enumerate(parts) if re.match("_[^_]", part)]
            if parts[0] == "core" and hidden:
                private.add(".".join(parts[: hidden[-1] + 1]))
    return private


def test_tests_import_public_names() -> None:
    imported = {name for path in (ROOT / "tests").rglob("*.py") for name in private_imports(path)}
    assert imported <= PRIVATE_AND_TESTED, imported - PRIVATE_AND_TESTED


def test_private_imports_are_seen(tmp_path: Path) -> None:
    path = tmp_path / "test_some.py"
    path.write_text(
        "import core.a._b\nfrom core.c import _d, e\nfrom core._f.g import h\nfrom core._i import _j\n"
        "from tests import _k\nfrom core.m import __version__\n"
    )
    assert private_imports(path) == {"core.a._b", "core.c._d", "core._f", "core._i._j"}


def test_no_module_has_the_name_of_what_its_package_exports() -> None:
    """Importing it would put the module in the place of the function."""
    for stub in (ROOT / "core").rglob("__init__.pyi"):
        imports = [node for node in ast.parse(stub.read_text()).body if isinstance(node, ast.ImportFrom)]
        exported = {alias.name for node in imports for alias in node.names}
        files = [path for path in stub.parent.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()]
        assert not exported & {path.stem for path in files}, stub


def import_graph() -> dict[str, set[str]]:
    """Return the modules that each module imports, for types and within functions as well."""
    paths = [path for folder in ("core", "pages") for path in (ROOT / folder).rglob("*.py")]
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}
    graph: dict[str, set[str]] = {name: set() for name in modules}
    for name, path in modules.items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                wanted = {f"{node.module}.{alias.name}" for alias in node.names} & modules.keys() or {node.module}
            elif isinstance(node, ast.Import):
                wanted = {alias.name for alias in node.names}
            else:
                continue
            graph[name] |= (wanted & modules.keys()) - {name}
    return graph


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the groups of nodes that reach each other."""
    reached = {name: set(graph[name]) for name in graph}
    for middle in graph:
        for name in graph:
            if middle in reached[name]:
                reached[name] |= reached[middle]
    groups = {tuple(sorted(other for other in reached[name] if name in reached[other])) for name in graph}
    return [list(group) for group in sorted(groups) if len(group) > 1]


def test_no_modules_import_each_other_in_a_circle() -> None:
    # At most three would be acceptable, each with its reason in ARCHITECTURE.md. There is none.
    assert circles(import_graph()) == []


def test_no_packages_of_core_import_each_other_in_a_circle() -> None:
    packages: dict[str, set[str]] = {}
    for name, imports in import_graph().items():
        if name.startswith("core."):
            package = ".".join(name.split(".")[:2])
            others = {".".join(other.split(".")[:2]) for other in imports}
            packages.setdefault(package, set()).update(others - {package})
    assert circles({name: others & packages.keys() for name, others in packages.items()}) == []


def test_nightly_tests_are_listed_with_what_covers_them() -> None:
    page = (ROOT / "docs" / "nightly.md").read_text()
    listed = set(re.findall(r"^\| `(tests/[\w/.]+\.py)", page, flags=re.MULTILINE))
    marked = {path for path in (ROOT / "tests").rglob("test_*.py") if "pytest.mark.nightly" in path.read_text()}
    assert listed == {path.relative_to(ROOT).as_posix() for path in marked}
    for path in re.findall(r"`(tests/[\w/.]+\.py)", page):
        assert (ROOT / path).is_file(), path


def imported(path: Path) -> set[str]:
    """Return the modules of core that a file imports, but for those that only types need."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            node.body = []
    modules = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "core":
            modules |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return modules


@pytest.mark.parametrize("patterns", [BUNDLE_SOURCES, MLFLOW_SOURCES], ids=["bundle", "mlflow"])
def test_what_leaves_with_a_model_is_whole(patterns: tuple[str, ...]) -> None:
    core = ROOT / "core"
    assert [pattern for pattern in patterns if not any(core.glob(pattern))] == []
    sent = {path for pattern in patterns for path in core.glob(pattern)}
    modules = core_modules()
    code = [path for path in sent if path.suffix in (".py", ".pyi")]
    needed = {modules[name] for path in code for name in imported(path) if name in modules}
    assert needed - sent == set()


OTHER_WRITERS = {  # of CSV, and why they are not core.spreadsheet
    "core/spreadsheet.py": "it is the one writer",
    "core/edge/portable/cells.py": "comes without this package, with the same rule (tests/unit/test_spreadsheet.py)",
    "core/datasets/_staged_csv.py": "read back by the import with exact equality, never handed on",
    "core/datasets/_sheets.py": "read back by the import with exact equality, never handed on",
    "core/demo.py": "uploads of a demonstration, read back with exact equality",
}


def test_all_downloads_have_one_writer_of_csv() -> None:
    pattern = re.compile(r"\.to_csv\(|csv\.(?:writer|DictWriter)|FORMAT csv|\.to_excel\(|\.write_csv\(")
    paths = [path for folder in ("core", "pages", "web") for path in (ROOT / folder).rglob("*.py")]
    writers = {path.relative_to(ROOT).as_posix() for path in paths if pattern.search(path.read_text())}
    named = {"core/models/search_download.py", "pages/fairness/bias_audit.py"}  # functions of this name, which use it
    assert writers - named == set(OTHER_WRITERS)
