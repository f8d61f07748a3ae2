"""What is sent about an alert: its JSON for webhooks, its text and HTML for mails."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

from core.catalog import Alert
from core.catalog.alert_tables import ALERT_LEVELS
from core.errors import shortened
from core.jsonable import JsonObject
from core.plain_text import JOINER, inert
from core.settings import get_settings

__all__ = ["FORMAT", "Message"]

FORMAT: Final = 1
"""Version of the JSON; it grows when a key goes or means something else, and not when one is added."""
_SHOWN_FACTS = 20
_FACT_CHARS = 300


@dataclass(frozen=True)
class Message:
    """One message about an alert. It is the same in each attempt.

    Parameters
    ----------
    delivery_id : str
        Id by which whoever receives it knows it again.
    alert : Alert
        The alert.
    model : str
        Name of its model.
    channel : str
        Name of the channel that it is sent through.
    is_test : bool, default=False
        Whether it only shows that the channel works.
    """

    delivery_id: str
    alert: Alert
    model: str
    channel: str
    is_test: bool = False

    @property
    def type(self) -> str:
        """What the message is about: ``alert`` or ``test``."""
        return "test" if self.is_test else "alert"

    @property
    def summary(self) -> str:
        """The alert in one line."""
        level = ALERT_LEVELS[self.alert.level]
        return shortened(": ".join(filter(None, (level, self.model, self.alert.title))), 200)

    @property
    def body(self) -> bytes:
        """The message as JSON, as ``docs/alerts.md`` describes it."""
        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":")).encode()

    def to_dict(self) -> JsonObject:
        """Return the message as a JSON-serializable dictionary."""
        alert = self.alert
        return {
            "version": FORMAT,
            "type": self.type,
            "delivery": self.delivery_id,
            "text": html.escape(inert(self.summary), quote=False).replace("@", f"@{JOINER}"),
            "alert": {
                "id": alert.id,
                "event": alert.event,
                "level": alert.level,
                "title": alert.title,
                "message": alert.message,
                "hint": alert.hint,
                "facts": alert.facts,
                "raised_at": self._raised.isoformat(timespec="seconds"),
                "run": alert.run_id,
            },
            "model": {"id": alert.model_id, "name": self.model},
            **({"url": self.url} if self.url else {}),
        }

    @property
    def url(self) -> str:
        """Address of the page that the alert is about; empty where the installation does not know its own."""
        base = get_settings().public_url
        if base is None or self.is_test:
            return ""
        batch = self.alert.facts.get("batch")
        query = {"model": self.alert.model_id, "tab": "Monitor", **({"batch": str(batch)} if batch else {})}
        return f"{base.rstrip('/')}/models?{urlencode(query)}"

    @property
    def _raised(self) -> datetime:
        return datetime.fromtimestamp(self.alert.raised_at, UTC)

    def text(self) -> str:
        """Return the message as plain text, in which no word of a user becomes a link."""
        paragraphs = [_lines(self.alert.title), _lines(self.alert.message), _lines(self.alert.hint)]
        facts = "\n".join(f"{name}: {value}" for name, value in self._rows())
        return "\n\n".join([*filter(None, paragraphs), facts, *filter(None, [self.url]), self._footer()]) + "\n"

    def html(self) -> str:
        """Return the message as HTML, with all that users wrote escaped."""
        paragraphs = [_lines(self.alert.message), _lines(self.alert.hint)]
        rows = "".join(
            f"<tr><th align='left'>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>"
            for name, value in self._rows()
        )
        texts = "".join(f"<p>{html.escape(text).replace(chr(10), '<br>')}</p>" for text in paragraphs if text)
        link = f"<p><a href='{html.escape(self.url)}'>Open it in Plumbline</a></p>" if self.url else ""
        return (
            "<!DOCTYPE html><html><head><meta charset='utf-8'></head><body>"
            f"<h2>{html.escape(_lines(self.alert.title))}</h2>{texts}<table cellpadding='4'>{rows}</table>{link}"
            f"<p><small>{html.escape(self._footer())}</small></p></body></html>"
        )

    def _rows(self) -> Iterator[tuple[str, str]]:
        """Yield what stands in the table of a mail: what it is about, then the facts."""
        yield "Level", ALERT_LEVELS[self.alert.level]
        if self.model:
            yield "Model", inert(self.model)
        yield "Raised", f"{self._raised:%d %b %Y, %H:%M} UTC"
        facts = list(self.alert.facts.items())
        for name, value in facts[:_SHOWN_FACTS]:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            yield inert(shortened(name)), inert(shortened(text, _FACT_CHARS))
        if len(facts) > _SHOWN_FACTS:
            yield "Not listed", f"{len(facts) - _SHOWN_FACTS:,} further facts, which Plumbline shows"

    def _footer(self) -> str:
        return f"Plumbline sent this through the alert channel '{inert(self.channel)}'."


def _lines(text: str) -> str:
    return "\n".join(inert(line) for line in text.splitlines())
