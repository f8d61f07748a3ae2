"""A table with free text, exported: the same features to the last bit, the same answers, on other machines too."""

import subprocess
import sys
import zipfile

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest

from core.automl import build_estimator, make_model
from core.datasets import load_sample
from core.edge import Metadata, TableScorer, describe_graph, export_onnx, table_feeds, write_bundle
from core.edge.export.edge_cases import edge_cases
from core.edge.export.table_graph import encode_columns
from core.edge.portable import model as portable
from core.errors import ExportError
from core.features import TableEncoder

ROWS = 600


def rows():
    """Return reviews with another one's rating (their own would tell all), odd words, a category, and missing cells."""
    frame = load_sample("product_reviews").frame
    random = np.random.default_rng(0)
    odd = np.array(["İyi ürün", "straße Größe", "大小 合适", "e\u0301té ﬁn", "x_y 1.5 x_y", "?!"])
    note = [" ".join(random.choice(odd, 4)) for _ in range(len(frame))]
    rating = random.permutation(frame["rating"])
    result = frame.assign(rating=rating, note=note, land=random.choice(["DE", "FR", "大小"], len(frame)))
    for index, name in enumerate(("text", "rating", "note", "land")):
        result.loc[random.choice(len(result), 150 + index, replace=False), name] = None
    return result


def pipeline(learner, frame):
    labels = sorted(set(frame["sentiment"]))
    encoder = TableEncoder(column_types={"note": "text"}).fit(frame.drop(columns="sentiment"))
    small = {"linear": {}, "lgbm": {"n_estimators": 20, "num_leaves": 16}}
    estimator = build_estimator(
        learner, small.get(learner, {"n_estimators": 15, "max_leaves": 16}), "multiclass", jobs=1, seed=0
    )
    codes = [labels.index(label) for label in frame["sentiment"]]
    return make_model(encoder, estimator.fit(encoder.transform(frame), np.array(codes)), labels)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Return a LightGBM, its file, the rows it learnt from and others."""
    frame = rows()
    train, others = frame.iloc[:ROWS], frame.iloc[ROWS:1500]
    model = pipeline("lgbm", train)
    path = tmp_path_factory.mktemp("words") / "m.onnx"
    return model, export_onnx(model, path, train=train, held_out=others, target="sentiment"), train, others


def test_it_is_equal_on_all_rows_and_says_what_it_takes(exported):
    model, result, _, others = exported
    assert all(part["largest_difference"] < 1e-6 and part["label_flips"] == 0 for part in result.parity.values())
    assert result.parity["edge_cases"]["rows"] > 50
    columns = {column.name: column for column in Metadata.read(result.path).columns}
    encoder = model.steps[0][1]
    words = {names[0]: fitted.words_ for step, fitted, names in encoder.encoder_.transformers_ if "text" in step}
    assert set(words) == {"text", "note"}
    for name in ("text", "note"):
        assert columns[name].vocabulary == tuple(words[name].get_feature_names_out())
        assert columns[name].kind == "text"
    assert {"größe", "大小", "x_y", "te"} & set(columns["note"].vocabulary)
    ports = {port.name: (port.type, port.shape) for port in describe_graph(result.path).inputs}
    assert ports == {
        "text": ("int32", ("n", 300)),
        "note": ("int32", ("n", len(columns["note"].vocabulary))),
        "rating": ("float", ("n", 1)),
        "land": ("string", ("n", 1)),
    }
    assert describe_graph(result.path, table_feeds(others.head(3), result.columns)).work.uncounted == {}
    assert result.size_bytes < 200_000


def test_the_weights_are_scikit_learns_to_the_last_bit(exported):
    model, result, train, others = exported
    graph = onnx.load(result.path)
    last = [node for node in graph.graph.node if node.name.startswith("features/concat")][-1].output[0]
    graph.graph.output.append(onnx.helper.make_tensor_value_info(last, onnx.TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(graph.SerializeToString())
    long = others.head(255).assign(text=[" ".join(["the good camera"] * times + ["it"]) for times in range(1, 256)])
    everything = pd.concat([train, others, long])
    features = session.run([last], table_feeds(everything, result.columns))[0]
    assert np.array_equal(features, model.steps[0][1].transform(everything))


def test_a_word_there_more_often_than_is_looked_up_is_weighed_alike(exported):
    model, result, _, others = exported
    times = [254, 255, 256, 257, 1_000, 30_000]
    hard = others.head(len(times)).assign(text=[f"{'the ' * time} good" for time in times])
    assert np.abs(TableScorer(result.path).outputs(hard) - model.predict_proba(hard)).max() < 1e-6


@pytest.mark.parametrize("learner", ["xgboost", "rf", "extra_tree", "linear"])
def test_every_kind_of_model_takes_words(learner, tmp_path):
    train, others = rows().iloc[:ROWS], rows().iloc[ROWS:1200]
    result = export_onnx(pipeline(learner, train), tmp_path / "m.onnx", train=train, held_out=others)
    assert all(part["largest_difference"] < 1e-5 and part["label_flips"] == 0 for part in result.parity.values())


def test_frames_of_any_size_are_scored_as_the_pipeline_does(exported, monkeypatch):
    model, result, _, others = exported
    scorer = TableScorer(result.path)
    monkeypatch.setattr("core.edge.scoring.table_scorer._ROWS", 400)
    assert np.abs(scorer.outputs(others) - model.predict_proba(others)).max() < 1e-6
    predictions = scorer.predict(others)
    assert predictions["label"].tolist() == model.predict(others).tolist()
    one = others[others["text"].notna()].head(1)
    assert np.abs(scorer.outputs(one) - model.predict_proba(one)).max() < 1e-6
    changed = scorer.outputs(one.assign(text="terrible, returned it: do NOT buy"))
    assert np.abs(changed - scorer.outputs(one)).max() > 1e-3


def test_weights_that_are_wrong_are_refused(exported, tmp_path, monkeypatch):
    model, _, train, others = exported

    def wrong(encoder, columns, nodes):
        features = encode_columns(encoder, columns, nodes)
        return nodes("Mul", features, np.float32(0.7))

    monkeypatch.setattr("core.edge.export.export_table.encode_columns", wrong)
    with pytest.raises(ExportError, match="answers differently"):
        export_onnx(model, tmp_path / "m.onnx", train=train, held_out=others)
    assert not (tmp_path / "m.onnx").exists()


def test_made_up_rows_have_texts_that_are_hard(exported):
    _, result, train, _ = exported
    made, names = edge_cases(train, result.columns, {})
    vocabulary = next(column.vocabulary for column in result.columns if column.name == "note")
    texts = [text for text, name in zip(made["note"], names, strict=True) if name.startswith("'note'")]
    assert " ".join(vocabulary).upper() in texts
    assert max(len(text.split()) for text in texts if isinstance(text, str)) > 1_000
    assert any(text is None or text is np.nan for text in texts)
    assert max(map(len, names)) < 100


def test_a_bundle_answers_as_the_pipeline(exported, tmp_path, monkeypatch):
    model, result, _, others = exported
    bundle = write_bundle(tmp_path / "b.zip", result, sample=others.head(50), card="# Card\n", license="MIT\n")
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path / "unpacked")
    folder = tmp_path / "unpacked"
    assert "| `text` | free text |" in (folder / "README.md").read_text(encoding="utf-8")
    others.to_csv(tmp_path / "rows.csv", index=False)
    for arguments in (["--check"], [str(tmp_path / "rows.csv"), str(tmp_path / "out.csv")]):
        done = subprocess.run(
            [
                sys.executable,
                "-I",
                "-c",
                f"import sys; sys.path.insert(0, {str(folder)!r}); import runpy; "
                f"sys.argv[1:] = {arguments!r}; runpy.run_path({str(folder / 'predict.py')!r}, run_name='__main__')",
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    answers = pd.read_csv(tmp_path / "out.csv")
    assert answers["label"].tolist() == model.predict(others).tolist()
    assert np.abs(answers.iloc[:, 1:].to_numpy() - model.predict_proba(others)).max() < 1e-6
    scorer = portable.EdgeModel(folder)
    cells = {name: others[name].astype(object).fillna("").map(str).tolist() for name in scorer.required}
    monkeypatch.setattr(portable, "_ROWS", 400)
    assert np.abs(scorer.score_rows(cells) - model.predict_proba(others)).max() < 1e-6
