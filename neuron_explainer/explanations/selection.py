"""Which components are meant: "mlp_L3_117", all of "mlp_L3", "mlp_L3_0-99", "mlp_ae_L2", or "all"."""

import re
from collections.abc import Sequence

from neuron_explainer.exemplars.store import Dataset
from neuron_explainer.nodes import Component

_RANGE = re.compile(r"(?P<group>[a-z_]+_L\d+)_(?P<first>\d+)-(?P<last>\d+)")


def select_components(dataset: Dataset, specs: Sequence[str]) -> list[Component]:
    """The components of a dataset that the specs name, each once, in the dataset's order.

    Specs may hold several, separated by commas. Raises LookupError for what the dataset lacks, and where none is named.
    """
    groups = {
        group.name: dataset.components(group.kind, group.layer, group.stream)
        for group in dataset.groups
    }
    every = [component for members in groups.values() for component in members]
    wanted: set[Component] = set()
    for spec in filter(None, (part.strip() for given in specs for part in given.split(","))):
        found = _RANGE.fullmatch(spec)
        if spec == "all":
            wanted.update(every)
        elif spec in groups:
            wanted.update(groups[spec])
        elif found and found["group"] in groups:
            members = groups[found["group"]]
            wanted.update(_between(members, spec, int(found["first"]), int(found["last"])))
        else:
            component = Component.parse(spec)
            if component not in dataset:
                raise LookupError(
                    f"The dataset {dataset.name} holds nothing on {spec}. It holds "
                    f"{', '.join(groups)}."
                )
            wanted.add(component)
    if not wanted:
        raise LookupError(
            f"No component is named. Name some of {', '.join(groups)}, as in {next(iter(groups))}_0-9, or all."
        )
    return [component for component in every if component in wanted]


def _between(members: Sequence[Component], spec: str, first: int, last: int) -> Sequence[Component]:
    """The members that a range names, its last one included. Raises LookupError."""
    if not first <= last < len(members):
        group = spec.rpartition("_")[0]
        raise LookupError(
            f"{spec} names no components: a range counts up, within 0-{len(members) - 1} in "
            f"{group}, as in {group}_0-{len(members) - 1}."
        )
    return members[first : last + 1]
