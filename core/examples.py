"""Makes the example that all visitors of a demo may look at: a sample, a search of it, a model and its export.

    python -m core.examples

It uses the settings of the server, which may run meanwhile. ``python -m core.wipe examples`` removes it, so that it can
be made anew.
"""

from __future__ import annotations

import sys

from core import jobs, models
from core.access import EXAMPLES, Access
from core.automl import AutoMLSettings
from core.catalog import visitors
from core.demo import ANSWERS, Builder
from core.errors import InputError, PlumblineError
from core.tasks import automl, check, export, ingest

__all__ = ["build"]

_BUDGET_S = 60.0


def build(budget_s: float = _BUDGET_S) -> str:
    """Make the example, and return the id of its search.

    Parameters
    ----------
    budget_s : float, default=60
        Time budget of the search (seconds).

    Raises
    ------
    InputError
        When it is there already.
    JobError
        When one of its runs does not succeed.
    """
    if visitors.examples() is not None:
        raise InputError("The example is there already.", "Remove it first: python -m core.wipe examples")
    jobs.warm_up()
    access = Access.engine(EXAMPLES)
    builder = Builder(access=access)
    credit = builder.dataset(ingest.submit_sample("german_credit", access=access))
    settings = AutoMLSettings(target="credit", time_budget_s=budget_s, sensitive_columns=("sex", "age"))
    search = builder.done(automl.submit(credit, settings, access=access))
    builder.done(check.submit(credit, "credit", ["age", "sex"], access=access))
    model = models.register(search.id, name="Credit risk", access=access)
    models.promote(model.id, 1, why="It is more accurate than guessing.", access=access)
    for key, answer in ANSWERS.items():
        models.answer(models.resolve(model.id, access=access), key, answer, access=access)
    builder.done(export.submit(search, access=access))
    visitors.add_examples()
    return search.id


def main() -> None:
    """Make the example, and say so."""
    try:
        build()
    except PlumblineError as error:
        sys.exit(str(error))
    print("The example is there.")  # noqa: T201


if __name__ == "__main__":
    main()
