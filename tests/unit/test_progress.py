from core.progress import Event, silent


def test_silent_drops_the_event() -> None:
    assert silent(Event("phase", 0.5, "message", {"a": 1})) is None


def test_an_event_needs_only_its_phase() -> None:
    event = Event("search")
    assert event.fraction is None
    assert event.message == ""
    assert dict(event.values) == {}
