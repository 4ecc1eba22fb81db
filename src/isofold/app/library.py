"""What the app reads: results, embeddings and recordings of one folder, each kept for a while."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DataError, StudyError
from ..studies import Results, run_folder
from ..studies.load import load_binned
from ..studies.recording_spec import RecordingSpec
from .cache import Cache
from .embedded import Embedded
from .folder import Folder
from .foreign import check_contents
from .frame import Alignment, Frame, aligned, frame_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..recording import Recording

MEMORY = 2**30
"""Bytes of embeddings and recordings that are kept, for everybody together."""
_TABLES = 64 * 2**20
_SMALL = 2**16


class Library:
    """Reads for everybody who asks; what is asked for is checked, what was read is kept."""

    def __init__(self, folder: Folder):
        self.folder = folder
        self._large, self._small = Cache(MEMORY), Cache(_TABLES)

    def results(self, name: object) -> Results:
        """The results in a folder, as they stand now.

        Raises
        ------
        StudyError
            There are none, or a link in them leads outside.
        """
        path = self.folder.inside(name)
        return self._small.get(("results", path, _signature(path)), lambda: self._results(path))

    def embedded(self, name: object, key: object) -> Embedded:
        """The embedding of a run.

        Raises
        ------
        StudyError
            There is no such run, or a link in it leads outside.
        """
        results, run = self.results(name), self.run(name, key)
        path = run_folder.run_path(results.path, run["key"])
        done = path / run_folder.DONE
        at = ("embedded", path, done.stat().st_mtime_ns if done.exists() else 0)
        return self._large.get(at, lambda: self._embedded(results, path))

    def derived(self, key: Hashable, make: Callable[[], tuple[Any, int]]) -> Any:
        """What was worked out of an embedding, by a key that says of which and how."""
        return self._large.get(key, make)

    def run(self, name: object, key: object) -> dict[str, Any]:
        """The row of a run in the table of runs."""
        runs = self.results(name).runs
        found = runs[runs["key"] == key] if isinstance(key, str) else runs.iloc[:0]
        if not len(found):
            raise StudyError(f"no run {str(key)[:80]!r} in these results")
        if found.iloc[0]["status"] != "done":
            raise StudyError(f"run {key!r} failed and has no embedding: {found.iloc[0]['error']}")
        return {str(k): v for k, v in found.iloc[0].items()}

    def aligned(self, name: object, moving: str, fixed: str, label: str | None) -> Alignment:
        """One embedding of some results in the latents of another."""
        a, b = self.embedded(name, moving), self.embedded(name, fixed)
        by = None if a.same_clock(b) else label

        def make() -> tuple[Alignment, int]:
            found = aligned(a, b, by)
            return found, found.points.nbytes

        return self._large.get(("aligned", name, moving, fixed, by, _stamps(a, b)), make)

    def placed(
        self, name: object, key: str, axes: str, onto: str | None = None, label: str | None = None
    ) -> NDArray:
        """Points of a run as they are drawn: in their own frame, or aligned in that of another."""
        embedded = self.embedded(name, key)
        if onto is None:
            at: Hashable = ("placed", name, key, axes, _stamps(embedded))
            return self._large.get(at, lambda: _placed(frame_of(embedded, axes), embedded.points))
        target, moved = self.embedded(name, onto), self.aligned(name, key, onto, label)
        at = ("placed", name, key, axes, onto, label, _stamps(embedded, target))
        return self._large.get(at, lambda: _placed(frame_of(target, axes), moved.points))

    def recording(self, name: object, recording: str) -> Recording:
        """The binned recording that a run embedded.

        Raises
        ------
        StudyError
            The study does not say where it is, or it lies outside the folder of the app.
        """
        path, study = self.folder.inside(name), self.results(name).study
        at = ("recording", path, recording, _signature(path))
        return self._large.get(at, lambda: self._recording(study, recording))

    def _results(self, path: Path) -> tuple[Results, int]:
        self.folder.check_tree(path)
        results = Results(path)
        n = len(results.runs)  # read now, while it is known that no link leads outside
        _ = results.study, results.manifest, results.scores, results.pairs
        return results, _SMALL + 2**12 * n

    def _embedded(self, results: Results, path: Path) -> tuple[Embedded, int]:
        self.folder.check_tree(path)
        embedded = Embedded.of(results.embedding(path.name))
        return embedded, embedded.size

    def _recording(self, study: dict[str, Any], name: str) -> tuple[Recording, int]:
        for number, block in enumerate(study.get("recordings", [])):
            for spec in RecordingSpec.all_of(block, f"recordings[{number}]"):
                if spec.name == name:
                    recording = self._read(spec)
                    return recording, 4 * recording.n_samples * recording.n_channels
        raise StudyError(f"the study says nothing of a recording {name!r}")

    def _read(self, spec: RecordingSpec) -> Recording:
        if spec.simulate:
            return load_binned(spec, "")
        path = Path(str(spec.path))
        if "://" in str(spec.path) or not self.folder.holds(path):
            raise StudyError("the recording lies outside the folder of the app")
        if not path.exists():
            raise StudyError("the recording is no longer where the study read it")
        check_contents(self.folder, path)
        try:
            return load_binned(spec, str(path.stat().st_mtime_ns))
        except (TypeError, KeyError) as error:
            raise DataError(f"the recording could not be read as the study did: {error}") from error


def _placed(frame: Frame, points: NDArray) -> tuple[NDArray, int]:
    placed = frame.place(points)
    return placed, placed.nbytes


def _stamps(*embedded: Embedded) -> tuple[str, ...]:
    return tuple(e.stamp for e in embedded)


def _signature(path: Path) -> tuple[int, ...]:
    """What changes when a study goes on."""
    names = (run_folder.STUDY, run_folder.MANIFEST, run_folder.SCORES, run_folder.PAIRS, "runs")
    return tuple(p.stat().st_mtime_ns if (p := path / n).exists() else 0 for n in names)
