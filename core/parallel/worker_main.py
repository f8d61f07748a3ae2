"""A process that does items of a parallel work: ``python -m core.parallel.worker_main PARENT``.

It reads the shared arguments and then one call after the other from standard input, and writes their answers. What
functions print goes to the log.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
import time
import warnings

from core.parallel.messages import answer, dumps, read_message, write_message

__all__ = ["main"]


def main(parent: int) -> int:
    """Do what is asked for, until the other side is gone."""
    threading.Thread(target=_end_with_parent, args=(parent,), daemon=True).start()
    warnings.simplefilter("ignore")  # each is said where the work is done in a loop
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    try:
        shared = pickle.loads(read_message(requests))  # from the process that has started this one
        while True:
            function, item = pickle.loads(read_message(requests))
            write_message(answers, dumps(answer(function, item, shared)))
    except (EOFError, BrokenPipeError):
        return 0


def _end_with_parent(parent: int) -> None:
    """End this process in the midst of an item, too, once nobody waits for it."""
    while os.getppid() == parent:
        time.sleep(0.25)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
