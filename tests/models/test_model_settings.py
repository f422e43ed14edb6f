"""What is read without a look through transformers' families is what it would have read itself."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from transformers import AutoConfig, AutoTokenizer, GPT2Tokenizer

from neuron_explainer.models.config import ModelConfig
from neuron_explainer.models.model_folder import demo_dir
from neuron_explainer.models.model_settings import read_config, read_tokenizer
from tests.tiny_models import TinyModels, hf_config, save

TEXTS = (
    "When Mary and John went to the store,",
    "naïve 日本 — 🙂\n\ttab",
    "it's  we'll 1732x!!",
    "",
)


def demo_folder() -> Path:
    demo = demo_dir()
    assert demo is not None
    return demo / "model"


@pytest.mark.parametrize(
    "changes", [{}, {"n_inner": 48}, {"scale_attn_by_inverse_layer_idx": True}, {"activation_function": "relu"}]
)  # fmt: skip
def test_a_gpt2_config_is_read_as_transformers_reads_it(
    changes: dict[str, object], tmp_path: Path
) -> None:
    hf_config("gpt2", **changes).save_pretrained(tmp_path)
    ours, hf = read_config(tmp_path, "tiny")
    theirs = AutoConfig.from_pretrained(tmp_path)
    assert hf is None
    assert ours == ModelConfig.from_hf(theirs.to_dict(), "tiny")


def test_a_config_that_leaves_its_defaults_out_is_completed(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2", "n_layer": 3}))
    config, _ = read_config(tmp_path, "short")
    assert (config.n_layers, config.d_model, config.n_ctx) == (3, 768, 1024)


def test_the_demo_tokenizer_is_gpt2s_by_any_way_of_reading_it() -> None:
    ours = read_tokenizer(demo_folder())
    others = (
        AutoTokenizer.from_pretrained(demo_folder()),
        GPT2Tokenizer.from_pretrained(demo_folder()),
    )
    for other in others:
        assert (len(ours), ours.eos_token_id) == (len(other), other.eos_token_id)
        for text in TEXTS:
            ids = ours.encode(text)
            assert ids == other.encode(text)
            assert ours.decode(ids) == other.decode(ids) == text


def test_another_class_of_tokenizer_is_left_to_transformers(
    tiny_models: TinyModels, tmp_path: Path
) -> None:
    save(tiny_models("gpt2").hf, tmp_path)
    settings = tmp_path / "tokenizer_config.json"
    fields = json.loads(settings.read_text())
    settings.write_text(json.dumps(fields | {"tokenizer_class": "GPT2Tokenizer"}))
    assert type(read_tokenizer(tmp_path)) is type(AutoTokenizer.from_pretrained(tmp_path))


def test_the_demo_is_loaded_without_a_look_at_transformers_families() -> None:
    program = (
        "import sys, neuron_explainer\n"
        "neuron_explainer.load_model('demo')\n"
        "sys.exit('transformers.models' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
