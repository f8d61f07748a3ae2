"""What scripts of earlier versions call. `core.deletion` deletes everything else, too, and can undo it."""

from __future__ import annotations

from core.access import Access
from core.deletion import delete

__all__ = ["delete_dataset"]


def delete_dataset(dataset_id: str, *, access: Access) -> None:
    """Delete a dataset with all of its versions. Results of runs that used it are kept.

    Raises
    ------
    NotFoundError
        When the workspace does not have this dataset.
    InputError
        When a run is queued for it or works on it.

    See Also
    --------
    core.deletion.delete
    """
    delete("dataset", dataset_id, access=access)
