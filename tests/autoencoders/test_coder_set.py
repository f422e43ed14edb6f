"""Coder sets: named, loaded from everybody's folders, and refused where they do not fit the model."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from neuron_explainer.autoencoders.coder_set import CoderSet, load_coder_set
from neuron_explainer.autoencoders.published import PUBLISHED, CoderUnavailable
from neuron_explainer.models.config import ModelConfig
from tests.autoencoders.random_coders import coder_config, random_coder, random_coder_set

MODEL = ModelConfig(
    name="tiny",
    family="gpt2",
    n_layers=3,
    n_heads=2,
    n_kv_heads=2,
    d_model=8,
    d_head=4,
    d_mlp=12,
    n_vocab=10,
    n_ctx=16,
    norm="layer",
    norm_eps=1e-5,
    nonlinearity="gelu",
    positions="learned",
)


def saved(folder: Path, **changes: Any) -> Path:
    random_coder_set("mine", "resid_delta_mlp", 8, layers=(0, 2)).save(folder, model="tiny")
    if changes:
        file = folder / "coders.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | changes))
    return folder


def same(found: CoderSet, wanted: CoderSet) -> None:
    assert found.layers == wanted.layers
    for layer, coder in found.coders.items():
        x = torch.randn(5, coder.config.d_in)
        assert torch.equal(coder(x), wanted.coders[layer](x))


def test_a_set_that_was_saved_is_loaded_again(tmp_path: Path) -> None:
    wanted = random_coder_set("mine", "resid_delta_mlp", 8, layers=(0, 2))
    wanted.save(tmp_path, model="tiny", recipe={"tokens": 5})
    found = load_coder_set(str(tmp_path), MODEL)
    assert (found.name, found.site, found.stream) == ("mine", "resid_delta_mlp", "mlp")
    assert found.n_latents == wanted.n_latents
    same(found, wanted)
    about = json.loads((tmp_path / "coders.json").read_text())
    assert (about["model"], about["recipe"]) == ("tiny", {"tokens": 5})


@pytest.mark.parametrize("spec", ["other={}", "other:resid_delta_mlp={}"])
def test_a_spec_gives_the_set_its_name(spec: str, tmp_path: Path) -> None:
    assert load_coder_set(spec.format(saved(tmp_path)), MODEL).name == "other"


@pytest.mark.parametrize(
    ("site", "stream", "width"),
    [
        ("mlp_post_act", "mlp", 12),
        ("resid_delta_attn", "attn", 8),
        ("resid_pre", "resid", 8),
        ("resid_mid", "resid", 8),
        ("resid_post", "resid", 8),
    ],
)
def test_a_set_belongs_to_the_stream_of_its_site(
    site: Any, stream: str, width: int, tmp_path: Path
) -> None:
    random_coder_set("x", site, width, layers=(1,)).save(tmp_path, model="tiny")
    assert load_coder_set(str(tmp_path), MODEL).stream == stream


def test_directions_lie_in_one_piece_and_are_those_of_the_file(tmp_path: Path) -> None:
    found = load_coder_set(str(saved(tmp_path)), MODEL).spliced[1].coder
    assert found.decoder.T.is_contiguous()
    assert torch.equal(found.decoder, load_file(tmp_path / "L2/coder.safetensors")["w_dec"])


def openai_files(folder: Path, layers: tuple[int, ...] = (0, 1, 2)) -> Path:
    folder.mkdir(exist_ok=True)
    for layer in layers:
        state = {
            "pre_bias": torch.randn(8),
            "encoder.weight": torch.randn(20, 8),
            "latent_bias": torch.randn(20),
            "decoder.weight": torch.randn(8, 20),
        }
        torch.save(state, folder / f"{layer}.pt")
    return folder


def test_a_folder_of_openai_s_files_is_a_set_once_its_site_is_named(tmp_path: Path) -> None:
    folder = openai_files(tmp_path / "autoencoders")
    with pytest.raises(ValueError, match="does not say which site"):
        load_coder_set(f"theirs={folder}", MODEL)
    found = load_coder_set(f"theirs:resid_delta_attn={folder}", MODEL)
    assert (found.name, found.stream, found.layers) == ("theirs", "attn", (0, 1, 2))


def test_saelens_folders_side_by_side_are_a_set(tmp_path: Path) -> None:
    for layer in (0, 1):
        folder = tmp_path / f"blocks.{layer}.hook_resid_pre"
        folder.mkdir()
        tensors = {"W_enc": torch.randn(8, 20), "b_enc": torch.randn(20)}
        tensors |= {"W_dec": torch.randn(20, 8), "b_dec": torch.randn(8)}
        save_file(tensors, folder / "sae_weights.safetensors")
        cfg = {
            "hook_point": folder.name,
            "activation_fn_str": "relu",
            "normalize_activations": False,
        }
        (folder / "cfg.json").write_text(json.dumps(cfg))
    found = load_coder_set(f"jb={tmp_path}", MODEL)
    assert (found.site, found.layers) == ("resid_pre", (0, 1))
    with pytest.raises(ValueError, match="is for resid_pre .*, but resid_mid was asked for"):
        load_coder_set(f"jb:resid_mid={tmp_path}", MODEL)


def test_a_gemma_scope_file_says_its_layer_in_its_path(tmp_path: Path) -> None:
    folder = tmp_path / "2024" / "layer_2" / "width_16k"
    folder.mkdir(parents=True)
    arrays = {"W_enc": (8, 20), "W_dec": (20, 8), "b_enc": (20,), "b_dec": (8,), "threshold": (20,)}
    np.savez(
        folder / "params.npz", **{k: np.ones(shape, np.float32) for k, shape in arrays.items()}
    )
    found = load_coder_set(f"scope:resid_post={folder / 'params.npz'}", MODEL)
    assert found.layers == (2,)


# What does not fit


def test_a_coder_of_another_width_is_refused_with_both_numbers(tmp_path: Path) -> None:
    random_coder_set("x", "mlp_post_act", 8).save(tmp_path, model="tiny")
    with pytest.raises(ValueError, match=r"is 8 wide, but mlp_post_act of tiny is 12 wide"):
        load_coder_set(str(tmp_path), MODEL)


def test_a_coder_of_a_layer_the_model_lacks_is_refused(tmp_path: Path) -> None:
    random_coder_set("x", "resid_post", 8, layers=(1, 7)).save(tmp_path, model="tiny")
    with pytest.raises(ValueError, match="is for layer 7, but tiny has layers 0-2"):
        load_coder_set(str(tmp_path), MODEL)


def test_a_layer_that_is_listed_but_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match=r"\[0, 1, 2\], but the folder L1 is missing"):
        load_coder_set(str(saved(tmp_path, layers=[0, 1, 2])), MODEL)


def test_a_site_that_the_files_contradict_is_refused(tmp_path: Path) -> None:
    folder = saved(tmp_path)
    with pytest.raises(ValueError, match="is for resid_delta_mlp, but resid_post was asked for"):
        load_coder_set(f"x:resid_post={folder}", MODEL)
    saved(tmp_path, site="resid_post")
    with pytest.raises(ValueError, match=r"coder of resid_delta_mlp, layer 0; .* resid_post"):
        load_coder_set(str(folder), MODEL)


def test_two_coders_of_one_layer_are_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        random_coder(coder_config("resid_post", 1, 8)).save(tmp_path / name)
    with pytest.raises(ValueError, match="two coders for layer 1"):
        load_coder_set(f"x={tmp_path}", MODEL)


def test_a_transcoder_is_refused(tmp_path: Path) -> None:
    config = replace(coder_config("resid_mid", 1, 8), out_site="resid_delta_mlp")
    CoderSet("x", "resid_mid", {1: random_coder(config)}).save(tmp_path, model="tiny")
    with pytest.raises(ValueError, match="transcoder"):
        load_coder_set(str(tmp_path), MODEL)


def test_nan_and_truncated_files_are_refused(tmp_path: Path) -> None:
    file = saved(tmp_path) / "L2/coder.safetensors"
    tensors = load_file(file)
    tensors["w_enc"][0, 0] = float("nan")
    save_file(tensors, file)
    with pytest.raises(ValueError, match="w_enc holds 1 NaN or infinite values among"):
        load_coder_set(str(tmp_path), MODEL)
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(ValueError, match="cannot be read"):
        load_coder_set(str(tmp_path), MODEL)


@pytest.mark.parametrize(
    "text", ["[]", "{", '{"name": "x"}', '{"name": "x", "site": "resid_post", "layers": 3}']
)
def test_a_damaged_list_of_coders_is_named(tmp_path: Path, text: str) -> None:
    (saved(tmp_path) / "coders.json").write_text(text)
    with pytest.raises(ValueError, match=r"coders\.json"):
        load_coder_set(str(tmp_path), MODEL)


def test_a_folder_is_named_whole_and_a_file_without_its_ending(tmp_path: Path) -> None:
    for name in ("layers.1", "layers.2"):
        random_coder(coder_config("resid_post", int(name[-1]), 8)).save(tmp_path / name)
        assert load_coder_set(str(tmp_path / name), MODEL).name == name


def test_a_field_that_no_config_has_is_a_clear_error(tmp_path: Path) -> None:
    file = saved(tmp_path) / "L0/config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"colour": "red"}))
    with pytest.raises(ValueError, match="is not what its format says: .*colour"):
        load_coder_set(str(tmp_path), MODEL)


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        ("", ValueError, "NAME:SITE=PATH"),
        ("x:logits=here", ValueError, "'logits' is no site of a coder"),
        ("nowhere", LookupError, "no file or folder here, and no known name. Known names: gpt2-"),
        ("x=nowhere/at/all?", LookupError, "no file or folder here"),
    ],
)
def test_a_spec_that_names_nothing_says_what_there_is(
    spec: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        load_coder_set(spec, MODEL)


# What others published


@contextmanager
def served(handler: Any) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_a_file_at_an_address_is_fetched_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TDB_CACHE", str(tmp_path / "cache"))
    folder = openai_files(tmp_path / "web", layers=(2,))
    handler = partial(SimpleHTTPRequestHandler, directory=folder)
    handler.log_message = lambda *_: None  # type: ignore[attr-defined]
    with served(handler) as address:
        spec = f"net:resid_delta_mlp={address}/2.pt"
        first = load_coder_set(spec, MODEL)
        assert first.layers == (2,)
        with pytest.raises(CoderUnavailable, match=r"1\.pt could not be fetched: .*404"):
            load_coder_set(f"net:resid_delta_mlp={address}/1.pt", MODEL)
    same(load_coder_set(spec, MODEL), first)  # the server has gone


class CutOff(BaseHTTPRequestHandler):
    """Promises more than it sends."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.wfile.write(b"x" * 3000)

    def log_message(self, *_: Any) -> None:
        pass


def test_a_file_of_which_a_part_came_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TDB_CACHE", str(tmp_path / "cache"))
    with served(CutOff) as address:
        for _ in range(2):
            with pytest.raises(CoderUnavailable, match="only 3,000 of 100,000 bytes came"):
                load_coder_set(f"net:resid_delta_mlp={address}/2.pt", MODEL)
    assert not list((tmp_path / "cache").rglob("*.pt"))


def test_an_address_that_cannot_be_reached_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    monkeypatch.setenv("TDB_CACHE", str(tmp_path / "cache"))

    def no_network(*_: Any, **__: Any) -> Any:
        raise socket.gaierror("Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    for spec in (
        "x:resid_post=https://example.invalid/0.pt",
        "gpt2-mlp-v4",
        "x:resid_post=az://no/such",
    ):
        with pytest.raises(CoderUnavailable, match=r"could not be fetched: .*not known"):
            load_coder_set(spec, MODEL)
    assert not list((tmp_path / "cache").rglob("*.pt"))


def test_known_names_say_where_every_layer_s_file_lies() -> None:
    assert len(PUBLISHED) > 10
    for name, each in PUBLISHED.items():
        assert (each.name, each.model, len(each.files)) == (name, "gpt2", 12)
        assert len(set(each.files)) == 12
    v5 = PUBLISHED["gpt2-attn-v5-32k"]
    assert v5.files[3].endswith("gpt2-small/resid_delta_attn_v5_32k/autoencoders/3.pt")
