"""The text model as torch runs it, tokenising included and timed apart."""

import pytest

from core.edge.latency import Texts, measure_native
from core.errors import InputError
from tests.unit.edge.test_edge_export_text import make

pytestmark = pytest.mark.filterwarnings("ignore")  # of torch and transformers, about their own future


@pytest.mark.nightly
def test_a_text_model_is_measured_with_its_tokenizer(tmp_path, quick):
    make(tmp_path / "model", 2)
    texts = Texts(["the film was good", "a very dull story"], tmp_path / "model" / "tokenizer.json", max_length=64)
    report = measure_native(tmp_path, quick(batch_size=2, sequence_length=16), inputs=texts)
    assert report.kind == "text"
    assert report.applied == {"threads": 1}
    assert report.tokenisation.percentiles[50].n == 1
    assert 0 < report.tokenisation.tokens_median <= 16
    assert report.percentiles[50].value > 0
    with pytest.raises(InputError, match="needs texts"):
        measure_native(tmp_path, quick(), inputs=None)
