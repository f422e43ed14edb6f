"""What components respond to: datasets of excerpts and statistics, made here or published elsewhere."""

from neuron_explainer.exemplars.distribution import QuantileTable, rank_in_own_distribution
from neuron_explainer.exemplars.layout import DatasetCard, DatasetUnavailable, Recipe
from neuron_explainer.exemplars.records import (
    ComponentRecord,
    Exemplar,
    Histogram,
    QuantileBand,
    Statistics,
)
from neuron_explainer.exemplars.store import Dataset, open_dataset

__all__ = [
    "ComponentRecord",
    "Dataset",
    "DatasetCard",
    "DatasetUnavailable",
    "Exemplar",
    "Histogram",
    "QuantileBand",
    "QuantileTable",
    "Recipe",
    "Statistics",
    "open_dataset",
    "rank_in_own_distribution",
]
