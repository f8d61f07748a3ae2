# The one task runner: `make check` is what CI runs.
.PHONY: check checks format lint language types imports test nightly

check:
	$(MAKE) --jobs 2 --output-sync checks
	$(MAKE) test

checks: format lint language types imports

format:
	ruff format --check .

lint:
	ruff check .

language:
	codespell

types:
	mypy

imports:
	lint-imports

# On all cores; `pyproject.toml` says how.
test:
	pytest --durations 40

# What takes too long for every change. It resumes where it was interrupted.
nightly:
	python -m tests.nightly
