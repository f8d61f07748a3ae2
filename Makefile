# The one task runner: `make check` is what CI runs.
.PHONY: check format lint types imports test

check: format lint types imports test

format:
	ruff format --check .

lint:
	ruff check .

types:
	mypy

imports:
	lint-imports

test:
	pytest -n 2 --durations 40 -m "not browser"
	pytest --durations 20 -m browser
