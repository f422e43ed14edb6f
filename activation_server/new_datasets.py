"""What the server does with a dataset that a job has made: it serves it from now on, beside the others."""

from collections.abc import Collection

from activation_server.datasets import Datasets
from activation_server.job_store import JobFile
from neuron_explainer.models.transformer import Transformer


class NewDatasets:
    """Reached as `session.new_datasets`; any thread may call it."""

    def __init__(self, datasets: Datasets, model: Transformer) -> None:
        self._datasets, self._model = datasets, model

    def names(self) -> Collection[str]:
        """Names that no job can give to another dataset."""
        return self._datasets.names()

    def serve(self, job: JobFile) -> None:
        """Serve the dataset that a job made. Raises what says why it cannot be."""
        if job.kind == "collate" and job.output is not None:
            self._datasets.add(job.output, self._model)
