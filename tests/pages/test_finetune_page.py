"""The Fine-tuning page: the form, a training under way, one that was paused and resumed, and a result."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from core import jobs
from core.access import LOCAL
from core.catalog import Dataset, Run, RunState, runs
from core.datasets import load_sample
from core.finetune import FineTuneSettings, TrainingEstimate
from core.tasks import finetune
from tests.pages.conftest import World, query, repeated, texts, visit
from tests.pages.test_data_prepare import imported


@pytest.fixture
def trained(world: World) -> tuple[Dataset, str]:
    """A table of 240 reviews and a training on it."""
    return world.reviews, world.text


def tab(test, name: str):
    test.session_state["finetune-tabs"] = name
    return test.run()


def test_the_form_finds_the_texts(trained: tuple[Dataset, str]) -> None:
    dataset, _ = trained
    test = visit("finetune", dataset=dataset.id)
    assert not test.exception
    assert not test.error
    assert test.selectbox(key=f"finetune-text-{dataset.id}").value == "text"
    test.selectbox(key=f"finetune-label-{dataset.id}").set_value("sentiment").run()
    said = texts(test)
    assert "240 texts: half have at most" in said
    assert "million parameters" in said
    assert "Apache-2.0" in said


def test_start_submits_what_the_widgets_say(trained: tuple[Dataset, str]) -> None:
    dataset, _ = trained
    test = visit("finetune", dataset=dataset.id)
    test.selectbox(key=f"finetune-label-{dataset.id}").set_value("sentiment").run()
    test.number_input(key="finetune-epochs").set_value(2)
    test.number_input(key="finetune-length").set_value(64)
    test.toggle(key="finetune-weights").set_value(True)
    test.multiselect(key=f"finetune-sensitive-{dataset.id}").set_value(["length"]).run()
    assert "changed maximum length, class weights" in [item.label for item in test.expander][-1]
    test.button(key="finetune-start").click().run()
    assert not test.exception
    run_id = query(test, "run")
    jobs.cancel(run_id, access=LOCAL)
    settings = jobs.wait(run_id, 60, access=LOCAL).settings
    expected = FineTuneSettings(
        text_column="text",
        label_column="sentiment",
        epochs=2,
        max_length=64,
        class_weights=True,
        sensitive_columns=("length",),
    )
    assert settings == expected.model_dump(mode="json")


def test_a_label_of_numbers_is_classes_or_quantities_as_the_user_says(world: World) -> None:
    table = pd.DataFrame({"text": [f"a text {i}" for i in range(600)], "intent": np.arange(600) % 60})
    table["stars"] = np.arange(600) % 5
    dataset = imported(table, "intents")
    test = visit("finetune", dataset=dataset.id)
    test.selectbox(key=f"finetune-text-{dataset.id}").set_value("text").run()
    test.selectbox(key=f"finetune-label-{dataset.id}").set_value("intent").run()
    assert not test.exception
    assert "The label holds 60 different numbers. Are they ids of classes, or quantities?" in texts(test)
    assert not [button for button in test.button if button.key == "finetune-start"]
    test.segmented_control(key=f"finetune-task-{dataset.id}-intent").set_value("classification").run()
    test.button(key="finetune-start").click().run()
    assert not test.exception
    run_id = query(test, "run")
    jobs.cancel(run_id, access=LOCAL)
    assert jobs.wait(run_id, 60, access=LOCAL).settings["task"] == "classification"
    test = visit("finetune", dataset=dataset.id)
    test.selectbox(key=f"finetune-text-{dataset.id}").set_value("text").run()
    test.selectbox(key=f"finetune-label-{dataset.id}").set_value("stars").run()
    assert test.button(key="finetune-start"), "five numbers are taken for classes, which can be overruled"


def test_the_texts_are_counted_against_what_is_read(trained: tuple[Dataset, str]) -> None:
    from transformers import AutoTokenizer

    from core.finetune import base_models

    dataset, _ = trained
    test = visit("finetune", dataset=dataset.id)
    test.selectbox(key=f"finetune-label-{dataset.id}").set_value("sentiment").run()
    test.number_input(key="finetune-length").set_value(24).run()
    assert not test.exception
    frame = load_sample("product_reviews").frame
    some = frame[frame["sentiment"] != "neutral"].head(240)["text"].tolist()
    lengths = [len(ids) for ids in AutoTokenizer.from_pretrained(base_models()[0].path)(some)["input_ids"]]
    share = sum(length > 24 for length in lengths) / 240
    assert f"{share:.1%} of the texts are longer than 24 tokens" in texts(test)


def test_an_estimate_is_for_what_the_form_says(trained: tuple[Dataset, str]) -> None:
    dataset, run_id = trained
    test = visit("finetune", run=run_id)
    test.button(key="finetune-change").click().run()
    test.number_input(key="finetune-length").set_value(48)
    test.button(key="finetune-estimate").click().run()
    assert not test.exception
    (asked,) = runs.find(task="estimate", dataset_id=dataset.id, access=LOCAL)
    jobs.cancel(asked.id, access=LOCAL)
    assert asked.settings["max_length"] == 48
    estimate = TrainingEstimate(90.0, 60.0, 120.0, 22, 3.0, 700.0, 20.0, "cpu", 10, {"train": 168}, {"share_cut": 0.0})
    runs.add(
        Run(
            workspace="local",
            task="estimate",
            dataset_id=dataset.id,
            settings=asked.settings,
            state=RunState.SUCCEEDED,
            result=estimate.to_dict(),
        ),
        access=LOCAL,
    )
    test.run()
    assert not test.exception
    shown = {item.label: item.value for item in test.metric}
    assert (shown["Steps"], shown["Memory"]) == ("22", "0.7 GB")
    test.number_input(key="finetune-epochs").set_value(2).run()  # other settings: it no longer holds
    assert not test.metric
    assert test.button(key="finetune-estimate")


def test_an_earlier_training_says_how_long_it_will_take(trained: tuple[Dataset, str]) -> None:
    _, run_id = trained
    test = visit("finetune", run=run_id)
    test.button(key="finetune-change").click().run()
    assert not test.exception
    assert "by the training of" in texts(test)
    test.number_input(key="finetune-length").set_value(24).run()  # fewer tokens: another speed
    assert "by the training of" not in texts(test)


@pytest.mark.nightly
def test_the_estimate_is_measured_before_start(trained: tuple[Dataset, str]) -> None:
    dataset, run_id = trained
    test = visit("finetune", run=run_id)
    test.button(key="finetune-change").click().run()  # its thin base model is measured in seconds
    test.number_input(key="finetune-length").set_value(48)
    # Pressed at once: the estimate is for what the form says.
    test.button(key="finetune-estimate").click().run()
    assert not test.exception
    (run,) = runs.find(task="estimate", dataset_id=dataset.id, access=LOCAL)
    done = jobs.wait(run.id, 120, access=LOCAL)
    assert done.state is RunState.SUCCEEDED, done.error_message
    assert done.settings["max_length"] == 48
    test.run()
    assert not test.exception
    shown = {item.label: item for item in test.metric}
    assert shown["Steps"].value == f"{done.result['steps']:,}"
    assert shown["Memory"].value.endswith(" GB")
    test.number_input(key="finetune-epochs").set_value(2).run()  # other settings: it no longer holds
    assert not test.metric
    assert test.button(key="finetune-estimate")


def test_an_earlier_training_can_be_changed_and_repeated(trained: tuple[Dataset, str]) -> None:
    dataset, run_id = trained
    test = visit("finetune", run=run_id)
    test.button(key="finetune-change").click().run()
    assert not test.exception
    assert not test.warning
    assert query(test, "dataset") == dataset.id
    assert test.number_input(key="finetune-length").value == 32
    assert test.number_input(key="finetune-epochs").value == 1
    assert test.selectbox(key=f"finetune-label-{dataset.id}").value == "sentiment"
    assert test.multiselect(key=f"finetune-sensitive-{dataset.id}").value == ["length"]


def test_a_hub_name_without_a_network_fails_with_the_other_choices(trained: tuple[Dataset, str]) -> None:
    dataset, _ = trained
    settings = FineTuneSettings(text_column="text", label_column="sentiment", base_model="nobody/nothing-there")
    run = jobs.wait(finetune.submit(dataset, settings, access=LOCAL), 120, access=LOCAL)
    assert run.state is RunState.FAILED
    test = visit("finetune", run=run.id)
    assert not test.exception
    assert "minilm-l6" in texts(test)


def test_a_result_begins_with_its_verdict(trained: tuple[Dataset, str]) -> None:
    _, run_id = trained
    test = visit("finetune", run=run_id)
    assert not test.exception
    content = json.loads(jobs.artifact_path(run_id, "result.json", access=LOCAL).read_text())
    assert test.subheader[0].value.replace("\\", "") == content["verdict"]
    assert "training texts" in texts(test)
    assert test.metric[0].label == "Accuracy"


@pytest.mark.parametrize("name", ["Mistakes", "Test texts", "Learning", "Checks"])
def test_each_tab_of_a_result_draws(trained: tuple[Dataset, str], name: str) -> None:
    _, run_id = trained
    test = tab(visit("finetune", run=run_id), name)
    assert not test.exception
    assert not test.error


def test_the_playground_answers_as_the_model_does(trained: tuple[Dataset, str], tmp_path) -> None:
    from core.catalog import artifacts
    from core.finetune import FineTuneResult

    _, run_id = trained
    test = tab(visit("finetune", run=run_id), "Try it")
    test.text_area(key="finetune-play").set_value("a splendid camera, I love it").run()
    assert not test.exception
    shown = test.dataframe[-1].value.set_index("Label")["Probability"]
    for item in artifacts.find(run_id, access=LOCAL):
        target = tmp_path / item.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(jobs.artifact_path(run_id, item.name, access=LOCAL).read_bytes())
    expected = FineTuneResult.load(tmp_path).predict(["a splendid camera, I love it"]).iloc[0]
    for label in ("negative", "positive"):
        assert shown[label] == pytest.approx(100 * expected[f"p({label})"], abs=0.01)


def test_the_fairness_page_opens_on_the_test_texts(trained: tuple[Dataset, str]) -> None:
    _, run_id = trained
    test = visit("fairness", run=run_id)
    assert not test.exception
    assert not test.error
    assert set(test.dataframe[0].value["Group"]) == {"short", "long"}
    assert "48 test rows" in texts(test)
    test.session_state["fairness-tabs"] = "Threshold lab"
    test.run()
    assert not test.exception
    assert "the validation texts" in texts(test)


def test_an_empty_installation_says_what_to_do(home) -> None:
    test = visit("finetune")
    assert not test.exception
    assert "There are no tables yet" in texts(test)


def test_a_model_that_is_not_clearly_better_is_a_press_away_from_the_next_try(trained: tuple[Dataset, str]) -> None:
    _, run_id = trained

    def unclear(result: dict) -> None:
        result["differences"]["tfidf"] |= {"value": 0.01, "low": -0.02, "high": 0.04}

    test = visit("finetune", run=repeated(run_id, edit=unclear))
    assert not test.exception
    assert "Not clearly better than words alone" in texts(test)
    test.button(key="finetune-try-0").click().run()
    assert not test.exception
    assert not test.error, [item.value for item in test.error]
    again = jobs.get(query(test, "run"), access=LOCAL)
    jobs.cancel(again.id, access=LOCAL)
    before = jobs.get(run_id, access=LOCAL).settings
    changed = {name for name, value in again.settings.items() if before.get(name) != value}
    assert changed & {"epochs", "learning_rate", "max_length"}
    assert "Not clearly better" not in texts(visit("finetune", run=repeated(run_id, edit=clear)))


def clear(result: dict) -> None:
    """Make the model clearly better than words alone."""
    result["differences"]["tfidf"] |= {"value": 0.1, "low": 0.05, "high": 0.15}


def test_a_pause_is_called_a_pause(trained: tuple[Dataset, str]) -> None:
    _, run_id = trained
    run = runs.get(run_id, access=LOCAL)
    paused = Run(**run.model_dump(exclude={"id", "created_at", "state", "error_message", "error_hint"}))
    paused.state, paused.error_message = RunState.CANCELLED, "Stopped at step 3 of 9; resume to continue."
    runs.add(paused, access=LOCAL)
    said = texts(visit("finetune", run=paused.id))
    assert "Paused" in said
    assert "Cancelled" not in said
