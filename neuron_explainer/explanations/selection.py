"""Which components are meant: "mlp_L3_117", all of "mlp_L3", "mlp_L3_0-99", "mlp_ae_L2", or "all"."""

import re
from collections.abc import Sequence

from neuron_explainer.exemplars.store import Dataset
from neuron_explainer.nodes import Component

_RANGE = re.compile(r"(?P<group>[a-z_]+_L\d+)_(?P<first>\d+)-(?P<last>\d+)")


def select_components(dataset: Dataset, specs: Sequence[str]) -> list[Component]:
    """The components of a dataset that the specs name, each once, in the dataset's order.

    Specs may hold several, separated by commas. Raises LookupError for what the dataset lacks.
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
            wanted.update(members[int(found["first"]) : int(found["last"]) + 1])
        else:
            component = Component.parse(spec)
            if component not in dataset:
                raise LookupError(
                    f"The dataset {dataset.name} holds nothing on {spec}. It holds "
                    f"{', '.join(groups)}."
                )
            wanted.add(component)
    return [component for component in every if component in wanted]
