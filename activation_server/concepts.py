"""Answers which concepts led to a token: influential components grouped by meaning, then measured.

1. rank      components and sides by influence (`influence.py`); those with an explanation go on
2. group     by the meaning of their explanations, named (`explanations/cluster.py`)
3. measure   each group's joint effect, and that of random sets like it (`attribution/joint.py`)
4. name      anew by a language model where there is one, asked meanwhile (`naming.py`); drop what it finds incoherent
"""

from collections import OrderedDict
from collections.abc import Generator
from concurrent.futures import Future, wait
from dataclasses import dataclass, replace
from typing import Any

import torch

from activation_server import wire
from activation_server.influence import Question, Ranking
from activation_server.meanings import Meanings, SidedComponent
from activation_server.naming import Namer, Naming, configured
from activation_server.schemas import ClustersRequest
from activation_server.streaming import Event
from neuron_explainer.attribution.influence import Influencer
from neuron_explainer.attribution.investigation import Investigation
from neuron_explainer.attribution.joint import Comparison, Controls, compare, joint_effects
from neuron_explainer.explanations.cluster import Group, grouped
from neuron_explainer.explanations.explanation import Explanation
from neuron_explainer.explanations.group_names import Name, Phrases, distinct, named_by_words
from neuron_explainer.explanations.search import SearchIndex
from neuron_explainer.models.hooks import Hooks
from neuron_explainer.models.run import Run

NAMES_EVERY_SECONDS = 0.02
"""How long the model's thread waits for names at a time, before others have their turn."""


@dataclass(frozen=True)
class Cluster:
    """Influential components that share a meaning."""

    id: int
    name: Name
    members: tuple[Influencer, ...]
    explanations: tuple[Explanation, ...]
    group: Group
    effect: float | None = None
    comparison: Comparison | None = None

    @property
    def sides(self) -> list[SidedComponent]:
        return [(member.component, member.side) for member in self.members]

    @property
    def attribution(self) -> float:
        return sum(member.attribution for member in self.members)


class Concepts:
    """Groups and measures on the worker's thread."""

    def __init__(self, investigation: Investigation, ranking: Ranking, meanings: Meanings) -> None:
        self._investigation = investigation
        self._ranking = ranking
        self._meanings = meanings
        self._namer = Namer()
        self._phrases: OrderedDict[tuple[object, ...], Phrases] = OrderedDict()

    def close(self) -> None:
        """Ask for no more names."""
        self._namer.close()

    def events(self, question: Question, body: ClustersRequest) -> Generator[Event, None, None]:
        """`clusters` unmeasured, a `cluster` for each as it is measured, `done` in their order."""
        index = self._meanings.needed()[0]
        candidates = self._ranking.influence(question, body, body.leading, "component").items
        explained = self._meanings.best(
            [(it.component, it.side) for it in candidates], question.coders
        )
        known = [it for it in candidates if (it.component, it.side) in explained]
        clusters = self._grouped(index, known, explained, body)
        opening = {
            **self._ranking.opening(question, body),
            "n_candidates": len(candidates),
            "n_explained": len(known),
            "n_grouped": sum(len(cluster.members) for cluster in clusters),
            "encoder": index.encoder.name,
            "naming_problem": None,
        }
        naming = self._naming(index, clusters, body)
        yield "clusters", {**opening, "clusters": [_cluster(cluster) for cluster in clusters]}
        measured = []
        for cluster in self._measured(question, clusters, body):
            measured.append(cluster)
            yield "cluster", _cluster(cluster)
        if naming is not None:
            while not naming.done():
                yield "naming", {}  # others may have their turn
                wait((naming,), NAMES_EVERY_SECONDS)
            opening["naming_problem"] = naming.result().problem
            measured = list(_renamed(measured, naming.result().names, body.max_coherence))
        measured.sort(key=lambda cluster: -abs(cluster.effect or 0.0))
        yield "done", {**opening, "clusters": [_cluster(cluster) for cluster in measured]}

    def _naming(
        self, index: SearchIndex, clusters: list[Cluster], body: ClustersRequest
    ) -> Future[Naming] | None:
        """Names by a language model, on their way; None where there is none, or it is not wanted."""
        open_model = configured() if body.language_model and clusters else None
        if open_model is None:
            return None
        texts = [[it.text for it in cluster.explanations] for cluster in clusters]
        return self._namer.begin(texts, self._phrases_of(index), open_model)

    def _grouped(
        self,
        index: SearchIndex,
        known: list[Influencer],
        explained: dict[SidedComponent, Explanation],
        body: ClustersRequest,
    ) -> list[Cluster]:
        texts = [explained[it.component, it.side].text for it in known]
        if not texts:
            return []
        phrases = self._phrases_of(index)
        vectors = index.encoder.encode([phrases.essence(text) for text in texts])
        groups = grouped(vectors, cut=body.cut, min_members=body.min_members)
        clusters = [
            Cluster(
                number,
                named_by_words([texts[i] for i in group.members], phrases),
                tuple(known[i] for i in group.members),
                tuple(explained[known[i].component, known[i].side] for i in group.members),
                group,
            )
            for number, group in enumerate(groups)
        ]
        clusters.sort(key=lambda cluster: -sum(abs(it.value) for it in cluster.members))
        kept = clusters[: body.max_clusters]
        names = distinct([cluster.name for cluster in kept])
        return [
            replace(cluster, id=number, name=name)
            for number, (cluster, name) in enumerate(zip(kept, names, strict=True))
        ]

    def _phrases_of(self, index: SearchIndex) -> Phrases:
        """What all explanations of the store say; counted once, and again when that has changed."""
        key = (index.store.path, *index.store.version)
        if key not in self._phrases:
            rows = index.store.select("SELECT text FROM explanations", ())
            self._phrases[key] = Phrases([text for (text,) in rows])
            while len(self._phrases) > 4:
                self._phrases.popitem(last=False)
        return self._phrases[key]

    def _measured(
        self, question: Question, clusters: list[Cluster], body: ClustersRequest
    ) -> Generator[Cluster, None, None]:
        run = self._investigation.read([question.case])
        hooks = self._investigation.hooks(question.case)
        at = question.asked.positions or ()
        controls = Controls(run, at, torch.Generator().manual_seed(body.seed))
        for cluster in clusters:
            yield _measure(cluster, run, hooks, at, controls, body.n_controls)


def _measure(
    cluster: Cluster,
    run: Run,
    hooks: Hooks,
    at: tuple[int, ...],
    controls: Controls,
    n_controls: int,
) -> Cluster:
    sets = [cluster.sides, *controls.draw(cluster.sides, n_controls)]
    effects = [wire.finite(e) for batch in joint_effects(run, sets, at, hooks) for e in batch]
    comparison = compare(effects[0], effects[1:]) if n_controls else None
    return replace(cluster, effect=effects[0], comparison=comparison)


def _renamed(
    clusters: list[Cluster], names: list[Name], max_coherence: int
) -> Generator[Cluster, None, None]:
    """With the names they were given, without those that are found to have too little in common."""
    for cluster in clusters:
        name = names[cluster.id]
        if name.coherence is None or name.coherence <= max_coherence:
            yield replace(cluster, name=name)


def whole_answer(events: list[Event]) -> bytes:
    """The closing event as one answer."""
    return wire.to_bytes(events[-1][1])


def _cluster(cluster: Cluster) -> dict[str, Any]:
    negative = sum(member.side == "negative" for member in cluster.members)
    return {
        "id": cluster.id,
        "name": cluster.name.name,
        "named_by": cluster.name.named_by,
        "words": list(cluster.name.words),
        "coherence": cluster.name.coherence,
        "tightness": cluster.group.tightness,
        "is_loose": cluster.group.is_loose,
        "members": [
            {
                "component": str(member.component),
                "kind": member.component.kind,
                "layer": member.component.layer,
                "side": member.side,
                "node": str(member.node),
                "attribution": member.attribution,
                "explanation": explanation.text,
                "similarity": similarity,
            }
            for member, explanation, similarity in zip(
                cluster.members, cluster.explanations, cluster.group.similarities, strict=True
            )
        ],
        "n_positive": len(cluster.members) - negative,
        "n_negative": negative,
        "attribution": cluster.attribution,
        "measured_effect": cluster.effect,
        "controls": _controls(cluster.comparison),
    }


def _controls(found: Comparison | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "effects": list(found.effects),
        "stronger_than": found.stronger_than,
        "p_value": found.p_value,
        "better_than_chance": found.better_than_chance,
    }
