"""What the contrastive estimators share: which rule, which pairs, which rows, which constants."""

from __future__ import annotations

from typing import Any

from ..errors import DataError
from ..networks import Encoder
from ..recording import Recording
from ..sampling import (
    ContinuousSampler,
    DiscreteSampler,
    Layout,
    MemorySource,
    MixedSampler,
    Pool,
    RotatingSource,
    Sampler,
    Source,
    TimeSampler,
    padded_rows,
    padded_size,
)
from ..trials import Ints
from ._inputs import Inputs, targets_of
from ._recipe import POOL_ROWS, encode_whole


def choose_rule(given: str | None, inputs: Inputs) -> str:
    """The rule that the labels at hand allow."""
    kinds = {inputs.recording.kind(name) for name in inputs.labels}
    if given == "time":
        return "time"
    if not kinds:
        if given is not None:
            raise DataError(
                f"conditional={given!r} needs labels: fit(X, y) or fit(recording, labels=[...]); "
                "without labels use conditional='time'"
            )
        return "time"
    if kinds == {"discrete"}:
        return "discrete"
    return {"delta": "delta_normal", None: "time_delta"}.get(given, str(given))


def pair_sampler(pool: Pool, settings: dict[str, Any]) -> Sampler:
    rule, offset = settings["conditional"], int(settings["time_offsets"])
    if rule == "time":
        return TimeSampler(pool, offset)
    if rule == "discrete":
        return DiscreteSampler(pool)
    kind = ContinuousSampler if pool.classes is None else MixedSampler
    return kind(pool, rule, offset, settings["delta"])


def source_of(
    recording: Recording,
    encoder: Encoder,
    settings: dict[str, Any],
    start: Ints,
    stop: Ints,
) -> tuple[Source, bool]:
    """Where training gets its rows, and whether to encode all of them each step."""
    targets = targets_of(recording, settings["labels"])
    context = sum(encoder.offset) - 1
    needed = int((stop - start).sum()) + len(start) * context
    whole_size = None
    if recording.whole is not None:
        whole_size = recording.whole[0] + recording.whole[1] * context
    n_rows = padded_rows(needed, whole_size)
    # A full batch was asked for in so many words: it is never a part of the recording.
    rotate = (
        settings["schedule"] == "one-cycle"
        and settings["batch_size"] is not None
        and n_rows > POOL_ROWS * 3 // 2
    )
    if rotate:
        n_rows = POOL_ROWS
    layout = Layout(
        recording.signal, start, stop, encoder.offset, targets, n_rows,
        padded_size(recording.n_channels), settings["edges"],
    )  # fmt: skip
    if rotate:
        return RotatingSource(layout), True
    return MemorySource(layout), encode_whole(settings, n_rows, context + 1)


def adam_settings(settings: dict[str, Any]):
    from ..training import Hyper

    given = dict(settings["optimizer_kwargs"])
    betas = given.pop("betas", (0.9, 0.999))
    hyper = Hyper(
        beta1=betas[0],
        beta2=betas[1],
        epsilon=given.pop("eps", 1e-8),
        weight_decay=given.pop("weight_decay", 0.0),
        channel_dropout=float(settings["channel_dropout"]),
        min_temperature=settings["min_temperature"]
        if settings["temperature_mode"] == "auto"
        else 0.0,
    )
    if given.pop("amsgrad", False) or given:
        raise DataError(
            f"optimizer_kwargs knows betas, eps and weight_decay; got {sorted(given) or 'amsgrad'}"
        )
    return hyper
