"""The server's log as lines of JSON: one record per line, whatever a message holds."""

from __future__ import annotations

import json
import logging
import sys
import time

__all__ = ["JsonLines", "write_json_lines"]

_FORMATTED_APART = ("streamlit", "uvicorn", "uvicorn.error")  # uvicorn.access stays silent: it would name paths


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON in ASCII, so that no message can begin a line or color a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, object] = {
            "at": f"{at}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def write_json_lines() -> None:
    """Write every log of this process as lines of JSON to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    names = [name for name in logging.root.manager.loggerDict if name.startswith("streamlit.")]
    for name in {*_FORMATTED_APART, *names}:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
