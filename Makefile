# The one task runner: `make check` is what CI runs.
.PHONY: check format lint language types imports test

check: format lint language types imports test

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

# Measurements and browsers want the machine for themselves; the others share it.
test:
	pytest -n 2 --durations 40 --ignore tests/unit/edge/latency --ignore tests/browser
	pytest --durations 20 tests/unit/edge/latency tests/browser
