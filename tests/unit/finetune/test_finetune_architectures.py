"""Other architectures take a step with tiny random weights: frozen in part, and with adapters."""

import pytest


def _deberta():
    from transformers import DebertaV2Config, DebertaV2Model

    # As DeBERTa-v3: relative positions in buckets, shared keys, layer norm on them.
    return DebertaV2Model(
        DebertaV2Config(
            vocab_size=30_522,
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            relative_attention=True,
            position_buckets=16,
            norm_rel_ebd="layer_norm",
            share_att_key=True,
            pos_att_type=["p2c", "c2p"],
            position_biased_input=False,
            type_vocab_size=0,
        )
    )


def _distilbert():
    from transformers import DistilBertConfig, DistilBertModel

    return DistilBertModel(DistilBertConfig(dim=32, n_layers=2, n_heads=2, hidden_dim=64))


def _roberta():
    from transformers import RobertaConfig, RobertaModel

    return RobertaModel(
        RobertaConfig(
            vocab_size=30_522,
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=66,
            type_vocab_size=1,
        )
    )


@pytest.mark.parametrize("values", [{"freeze_layers": 1}, {"lora": 2}], ids=["frozen", "lora"])
@pytest.mark.parametrize("make", [_deberta, _distilbert, _roberta])
def test_takes_a_step(make, values, train, tiny, tmp_path):
    from transformers import AutoTokenizer, BertTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny)
    model = make()
    model.save_pretrained(tmp_path)
    kind = BertTokenizer(vocab=tokenizer.get_vocab(), do_lower_case=True)
    kind.model_input_names = ["input_ids", "attention_mask"]
    kind.save_pretrained(tmp_path)
    result = train(base_model=str(tmp_path), max_steps=1, warmup_steps=0, **values).result
    assert result.training["steps"] == 1
    assert len(result.predict(["good", "bad"])) == 2
    assert result.base_model["available"]
