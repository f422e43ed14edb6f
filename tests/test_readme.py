"""The README says what is true: its code runs, its commands, options, links and files exist.

Python blocks are executed on the demo model where they name it, and on a tiny one in place of others; on the model
they name when marked `real_model`.
Requests are sent to a server of that tiny model. Of a command, the program, the subcommand and
every option are looked up; none is started.
"""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from fastapi.testclient import TestClient
from typer.testing import CliRunner

import neuron_explainer
from activation_server.app import create_app
from activation_server.cli import app
from activation_server.session import ModelSession
from activation_server.settings import Settings
from tests.tiny_models import TinyModels

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("datasets/*.md")])
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
LANGUAGES = {"sh", "python", "json"}


def blocks(language: str, pages: list[Path] = PAGES) -> Iterator[str]:
    for page in pages:
        yield from (code for named, code in BLOCK.findall(page.read_text()) if named == language)


def commands() -> list[list[str]]:
    """Each command of the shell blocks, as words; a command may go on inside quotes."""
    found = []
    for block in blocks("sh"):
        waiting = ""
        for line in block.splitlines():
            waiting += line + "\n"
            try:
                words = shlex.split(waiting, comments=True)
            except ValueError:  # a quote is still open
                continue
            found += [words] if words else []
            waiting = ""
        assert not waiting, f"a quote is never closed: {waiting}"
    return found


def of_program(name: str) -> list[list[str]]:
    return [words[1:] for words in commands() if Path(words[0]).name == name]


@pytest.fixture
def client(tiny_models: TinyModels) -> Iterator[TestClient]:
    settings = Settings()
    session = ModelSession(tiny_models("gpt2").ours, settings)
    with TestClient(create_app(settings, session), base_url="http://127.0.0.1:8000") as client:
        yield client


def test_every_block_says_its_language() -> None:
    for page in PAGES:
        languages = {language for language, _ in BLOCK.findall(page.read_text())}
        assert languages <= LANGUAGES, f"{page.name}: {languages - LANGUAGES}"
    assert len(list(blocks("python"))) >= 1
    assert len(commands()) >= 10


def test_python_blocks_run(
    tiny_models: TinyModels, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny, load_model = tiny_models("gpt2").ours, neuron_explainer.load_model
    monkeypatch.setattr(
        neuron_explainer, "load_model", lambda name: load_model(name) if name == "demo" else tiny
    )
    for code in blocks("python"):
        exec(compile(code, "README.md", "exec"), {})
        assert capsys.readouterr().out.strip()


@pytest.mark.real_model
def test_python_blocks_say_what_the_readme_says(smollm2_folder: Path) -> None:
    (code,) = blocks("python", [ROOT / "README.md"])
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    assert "attn_L23_3@13:9" in printed
    assert "+6.12 -> +3.08 logits" in printed
    text = (ROOT / "README.md").read_text()
    assert "from 6.12 to 3.08" in text


@pytest.mark.real_model
def test_figures_of_the_example_are_measured(smollm2_folder: Path) -> None:
    """The table of nodes, and the sentences around it."""
    text = (ROOT / "README.md").read_text()
    row = r"^\| `(attn_\S+@\S+)` \|[^|]*\| (\S+) \| (\S+) \| (\S+) \|"
    said = {name: [float(n) for n in rest] for name, *rest in re.findall(row, text, re.MULTILINE)}
    assert len(said) == 5
    asking = neuron_explainer.Investigation(neuron_explainer.load_model(smollm2_folder))
    question: Any = {"target": " Mary", "distractor": " John"}
    prompt = "When Mary and John went to the store, John gave a drink to"
    case = asking.case(prompt, **question)
    table = asking.debug([case])
    nodes = {row.node: row.values[0] for row in table.nodes}
    _, batches = asking.measure([case], [neuron_explainer.Node.parse(name) for name in said])
    for node, effect in (found for batch in batches for found in batch):
        values = nodes[str(node)]
        assert values is not None
        measured = [values.direct_effect, values.total_effect, effect]
        assert measured == pytest.approx(said[str(node)], abs=0.01), node

    def without(head: str) -> float:
        edited = asking.case(prompt, **question, interventions=[head])
        return asking.debug([edited]).cases[0].objective.value

    report = table.cases[0]
    kinds = report.direct_effect_by_kind
    other = asking.case(prompt.replace("John gave", "Mary gave"), **question)
    patch = neuron_explainer.Patch(neuron_explainer.Component("attn", 23, 3), (13,))
    patched = asking.case(prompt, **question, interventions=[patch])
    for sentence, value in (
        ('" Mary" a probability of {:.3f}', report.next_tokens[0].prob),
        ("attention holds {:.2f} of it", kinds["attn"]),
        ("MLPs {:.2f}", kinds["mlp"]),
        ("takes the difference from 6.12 to {:.2f}", without("attn_L23_3")),
        ("leaves {:.2f}", without("attn_L23_0")),
        ("takes it to {:.2f}", asking.debug([patched, other]).cases[0].objective.value),
    ):
        assert sentence.format(value) in " ".join(text.split()), sentence.format(value)


def test_requests_are_answered(client: TestClient) -> None:
    sent = of_program("curl")
    assert sent
    for words in sent:
        (url,) = [word for word in words if word.startswith("http://127.0.0.1:8000/")]
        body = json.loads(words[words.index("-d") + 1])
        answer = client.post(url, json=body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["nodes"]


def test_scripts_exist() -> None:
    for words in commands():
        if words[0].startswith("scripts/"):
            path = ROOT / words[0]
            assert path.is_file(), words
            assert path.stat().st_mode & 0o111, words
    mentioned = set(re.findall(r"`(scripts/[\w/.]+)", " ".join(p.read_text() for p in PAGES)))
    for name in mentioned:
        assert (ROOT / name).exists(), name


def subcommands() -> dict[str, Any]:
    """Name -> command with its `params`; Typer carries a click of its own, hence Any."""
    group: Any = typer.main.get_command(app)
    return dict(group.commands)


def test_every_tdb_command_has_these_options() -> None:
    asked = of_program("tdb")
    assert len(asked) >= 5
    for name, *rest in asked:
        options = {flag for option in subcommands()[name].params for flag in option.opts}
        for word in rest:
            if re.match(r"--?[a-z]", word):
                assert word.partition("=")[0] in options, f"tdb {name} has no {word}"


@pytest.mark.real_model
def test_questions_of_the_command_line_are_answered(
    smollm2_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A command may change how its whole process multiplies; this one is shared with other tests.
    monkeypatch.setattr("activation_server.loading.use_fast_float32", lambda: None)
    asked = [words for words in of_program("tdb") if words[0] == "debug"]
    assert asked
    for words in asked:
        answer = CliRunner().invoke(app, [*words, "--model", str(smollm2_folder)])
        assert answer.exit_code == 0, answer.output
        assert "attn_L" in answer.output


def test_commands_in_the_text_exist() -> None:
    """Those between backticks: `tdb fetch smollm2`, `scripts/serve --model gpt2`."""
    for page in PAGES:
        for code in re.findall(r"`(tdb [^`]+)`", page.read_text()):
            name, *rest = code.split()[1:]
            assert name in subcommands(), f"{page.name}: {code}"
            options = {flag for option in subcommands()[name].params for flag in option.opts}
            assert {word for word in rest if word.startswith("--")} <= options, code


def test_pytest_markers_exist(pytestconfig: pytest.Config) -> None:
    known = {line.partition(":")[0] for line in pytestconfig.getini("markers")}
    for words in commands():
        if "pytest" in words and words.count("-m") > 1:
            marker = words[len(words) - 1 - words[::-1].index("-m") + 1]
            assert marker in known, marker


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        if not target.startswith(("http:", "https:", "#")):
            assert (page.parent / target.partition("#")[0]).exists(), target


def test_folders_of_the_map_exist() -> None:
    for name in re.findall(r"^\| `([\w/]+/)` \|", (ROOT / "README.md").read_text(), re.MULTILINE):
        assert (ROOT / name).is_dir(), name


def test_the_picture_is_small() -> None:
    for picture in (ROOT / "docs/images").iterdir():
        assert picture.stat().st_size < 300_000, picture.name
