"""YAML text as a tree: only plain values, within limits of size, depth and aliases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from core.pipelines.errors import PipelineError, Position
from core.pipelines.reading.yaml_nodes import Entry, Item, Mapping, Scalar, Sequence, describe
from core.pipelines.reading.yaml_problems import explain

__all__ = ["parse"]

MAX_DEPTH = 50
MAX_ALIASES = 1_000
MAX_ITEMS = 100_000

_TAG = "tag:yaml.org,2002:"
_TEXT_TAGS = {f"{_TAG}str", f"{_TAG}timestamp", f"{_TAG}value"}
_SCALAR_TAGS = {f"{_TAG}{name}" for name in ("int", "float", "bool", "null")} | _TEXT_TAGS
_MERGE = f"{_TAG}merge"


def parse(text: str, file: Path | None = None) -> Mapping:
    """Return the document of a YAML text, which has to be a group of keys.

    Parameters
    ----------
    text : str
        Text.
    file : Path, optional
        File that positions name; that of the pipeline is not named.

    Raises
    ------
    PipelineError
        When the text is not YAML, is not plain, or exceeds a limit.

    Examples
    --------
    >>> tree = parse("type: pipeline\\njobs: {}")
    >>> list(tree.entries), tree.entries["jobs"].position.line
    (['type', 'jobs'], 2)
    """
    document = _Builder(text, file).document()
    if not isinstance(document, Mapping):
        raise PipelineError(
            f"The file is not a group of keys, but {describe(document)}.",
            "Begin with keys such as 'type: pipeline' and 'jobs:'.",
            document.position,
        )
    return document


class _Builder:
    """Builds a tree from the events of a text, without recursion."""

    def __init__(self, text: str, file: Path | None) -> None:
        self._file = file
        self._text = text
        self._lines = text.split("\n")
        self._anchors: dict[str, Item | None] = {}  # None while the anchor's own items are read
        self._sizes: dict[int, int] = {}  # items below a collection, with those of aliases, by id
        self._depths: dict[int, int] = {}  # levels of a collection, with those of aliases, by id
        self._keep: list[Item] = []  # so that no id is used twice
        self._aliases = 0

    def document(self) -> Item:
        """Return the only document of the text."""
        loader: Any = None
        try:
            loader = yaml.SafeLoader(self._text)
            self._loader = loader
            events = self._events(loader)
            document = self._build(events)
            if next(events, None) is not None:
                raise self._error("The file has more than one document.", "Remove what follows the line '---'.")
            return document
        except yaml.reader.ReaderError as error:
            before = self._text[: error.position].split("\n")
            raise PipelineError(
                f"The character U+{error.character:04X} is not allowed in YAML.",
                "Remove it.",
                Position(len(before), len(before[-1]) + 1, self._file),
            ) from error
        except yaml.YAMLError as error:
            raise self._translated(error) from error
        except (ValueError, OverflowError, RecursionError) as error:  # PyYAML on escapes that are no character
            mark = loader.get_mark() if loader is not None else None
            position = Position(mark.line + 1, mark.column + 1, self._file) if mark else Position(1, 1, self._file)
            raise PipelineError(
                "This is not valid YAML.", "Check quotes and escapes on this line.", position
            ) from error

    def _events(self, loader: Any) -> Iterator[Any]:
        while loader.check_event():
            event = loader.get_event()
            self._mark = event.start_mark
            if isinstance(event, yaml.NodeEvent | yaml.CollectionEndEvent):
                yield event

    def _build(self, events: Iterator[Any]) -> Item:
        stack: list[_Open] = []
        for event in events:
            if isinstance(event, yaml.CollectionStartEvent):
                self._limit_depth(len(stack) + 1)
                stack.append(self._open(event))
                continue
            item = self._close(stack.pop()) if isinstance(event, yaml.CollectionEndEvent) else self._leaf(event)
            if not stack:
                return item
            self._add(stack[-1], item)
        raise PipelineError("The file is empty.", "Write or upload a pipeline.", Position(1, 1, self._file))

    def _open(self, event: Any) -> _Open:
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        expected = f"{_TAG}map" if is_mapping else f"{_TAG}seq"
        if event.tag not in (None, "!", expected):
            raise self._refused_tag(event.tag)
        if event.anchor:
            self._anchors[event.anchor] = None
        return _Open(is_mapping, event.anchor, self._position(event.start_mark))

    def _leaf(self, event: Any) -> Item:
        if isinstance(event, yaml.AliasEvent):
            return self._aliased(event.anchor)
        scalar = self._scalar(event)
        if event.anchor:
            self._anchors[event.anchor] = scalar
        return scalar

    def _aliased(self, anchor: str) -> Item:
        self._aliases += 1
        if self._aliases > MAX_ALIASES:
            raise self._error(f"The file has more than {MAX_ALIASES:,} aliases.", "Write values out.")
        if anchor not in self._anchors:
            raise self._error(f"There is no anchor '&{anchor[:60]}' before this alias.", "Define it further up.")
        item = self._anchors[anchor]
        if item is None:
            raise self._error(f"The anchor '&{anchor[:60]}' contains itself.", "Write its values out.")
        return item

    def _scalar(self, event: Any) -> Scalar:
        tag = event.tag
        if tag is None or tag == "!":
            tag = self._loader.resolve(yaml.ScalarNode, event.value, event.implicit)
        position = self._position(event.start_mark)
        if tag not in _SCALAR_TAGS and tag != _MERGE:
            raise self._refused_tag(tag)
        value = event.value
        if tag in _SCALAR_TAGS - _TEXT_TAGS:
            node = yaml.ScalarNode(tag, event.value, event.start_mark, event.end_mark)
            try:
                value = self._loader.yaml_constructors[tag](self._loader, node)
            except (ValueError, KeyError, OverflowError, IndexError) as error:
                name = {"int": "whole number", "float": "number", "bool": "truth value"}.get(tag[len(_TAG) :], "value")
                raise self._error(
                    f"'{event.value[:60]}' is not a {name}.", "Put it in quotes if it is a text."
                ) from error
        return Scalar(value, event.value, position, event.end_mark.line + 1, self._lines)

    def _add(self, parent: _Open, item: Item) -> None:
        """Add an item to a list, or as a key or a value to a group of keys."""
        parent.depth = max(parent.depth, self._depths.get(id(item), 0) + 1)
        self._limit_depth(parent.depth)
        parent.size += self._sizes.get(id(item), 1)
        if parent.size > MAX_ITEMS:
            raise self._error(
                f"The file has more than {MAX_ITEMS:,} values, counting aliases.", "Write a smaller file."
            )
        if not parent.is_mapping:
            parent.items.append(item)
        elif parent.key is None:
            parent.key = self._key(item)
        else:
            key, parent.key = parent.key, None
            self._set(parent, key, item)

    def _limit_depth(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise self._error(
                f"The file is nested more than {MAX_DEPTH} levels deep, counting aliases.", "Make it flatter."
            )

    def _key(self, item: Item) -> Scalar:
        if not isinstance(item, Scalar):
            raise PipelineError(f"A key is {describe(item)}.", "Write a name before the colon.", item.position)
        if not isinstance(item.value, str):
            raise PipelineError(
                f"The key '{item.text[:60]}' is read as {describe(item)}, not as a name.",
                f"""Put it in quotes: "{item.text[:60]}".""",
                item.position,
            )
        return item

    def _set(self, parent: _Open, key: Scalar, item: Item) -> None:
        name = str(key.value)
        if name == "<<":
            self._merge(parent, key, item)
        elif name in parent.entries:
            first = parent.entries[name].position
            raise PipelineError(
                f"The key '{name[:60]}' is repeated; it was first given in line {first.line}.",
                "Remove one of them.",
                key.position,
            )
        else:
            parent.entries[name] = Entry(key.position, item)

    def _merge(self, parent: _Open, key: Scalar, item: Item) -> None:
        sources = item.items if isinstance(item, Sequence) else (item,)
        for source in sources:
            if not isinstance(source, Mapping):
                raise PipelineError(
                    f"'<<' merges a group of keys, not {describe(source)}.", "Name an anchor of keys.", key.position
                )
            for name, entry in source.entries.items():
                parent.merged.setdefault(name, entry)

    def _close(self, collection: _Open) -> Item:
        item: Item
        if collection.is_mapping:
            given = {**collection.merged, **collection.entries}
            item = Mapping(given, collection.position)
        else:
            item = Sequence(tuple(collection.items), collection.position)
        self._sizes[id(item)] = collection.size
        self._depths[id(item)] = collection.depth
        self._keep.append(item)
        if collection.anchor:
            self._anchors[collection.anchor] = item
        return item

    def _position(self, mark: Any) -> Position:
        return Position(mark.line + 1, mark.column + 1, self._file)

    def _error(self, message: str, hint: str) -> PipelineError:
        return PipelineError(message, hint, self._position(self._mark))

    def _refused_tag(self, tag: str) -> PipelineError:
        shown = f"!!{tag[len(_TAG) :]}" if tag.startswith(_TAG) else tag
        return self._error(f"The tag '{shown[:60]}' is not allowed.", "Remove it; only plain values are read.")

    def _translated(self, error: yaml.YAMLError) -> PipelineError:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        position = self._position(mark) if mark is not None else Position(1, 1, self._file)
        problem = str(getattr(error, "problem", None) or error)
        return PipelineError(*explain(problem, self._lines[: position.line][-1]), position)


class _Open:
    """A list or a group of keys whose end has not come yet."""

    def __init__(self, is_mapping: bool, anchor: str | None, position: Position) -> None:
        self.is_mapping = is_mapping
        self.anchor = anchor
        self.position = position
        self.items: list[Item] = []
        self.entries: dict[str, Entry] = {}
        self.merged: dict[str, Entry] = {}
        self.key: Scalar | None = None
        self.size = 1
        self.depth = 1
