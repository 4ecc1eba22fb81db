"""Run every study file of this folder: `make studies`.

Results are in results/<file>/; a table of what each took and found is in results/studies.md.
Studies of real recordings need them converted in $DATA and are skipped, with the reason, where they
are not.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from time import perf_counter

import isofold as iso
from isofold.errors import StudyError

HERE = Path(__file__).parent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="names of study files; all of this folder")
    parser.add_argument("--out", type=Path, default=Path("results"))
    parser.add_argument("--workers", type=int)
    options = parser.parse_args()
    files = [HERE / f"{n}.toml" for n in options.names] or sorted(HERE.glob("*.toml"))
    lines = ["| study | runs | failed | minutes | what it found |", "|---|---|---|---|---|"]
    failed = 0
    for file in files:
        start = perf_counter()
        try:
            study = iso.Study.from_toml(file)
        except StudyError as error:
            lines.append(f"| {file.stem} | – | – | – | skipped: {error} |")
            continue
        print(f"{file.stem} …", file=sys.stderr, flush=True)
        results = iso.run(study, options.out / file.stem, workers=options.workers, resume=True)
        n_failed = int((results.runs["status"] == "error").sum())
        failed += n_failed
        minutes = (perf_counter() - start) / 60
        said = " ".join(f for sweep in results.sweeps() for f in (sweep.spec.asks, *sweep.findings))
        n = len(results.runs)
        lines.append(f"| {file.stem} | {n} | {n_failed} | {minutes:.1f} | {said} |")
        (options.out / "studies.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
