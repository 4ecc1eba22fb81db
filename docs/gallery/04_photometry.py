"""Photometry, cleaned.

A simulated fiber that bleaches and moves: the raw light with its fitted baseline, what the
control says was movement, and dF/F before and after that was taken away.
"""

import isofold as iso

ALT = (
    "Three rows of traces over two minutes: raw fluorescence with its fitted baseline, "
    "the movement estimated from the control, and dF/F with and without it."
)

raw = iso.simulate.photometry_session(seed=0, duration=600.0, motion=0.03)
clean = iso.preprocess.photometry(raw, "470", "415")


def line(name):
    series = clean.series[name]
    shown = (series.t > 240) & (series.t < 360)
    return series.t[shown], series.values[shown, 0]


rows = {
    "raw": {"470": line("470"), "baseline fit": line("baseline")},
    "motion": {"motion": line("motion")},
    "ΔF/F": {"ΔF/F": line("dff"), "uncorrected fit": line("dff_uncorrected")},
}
figure = iso.plot.traces(rows, backend="matplotlib")
figure.set_size_inches(8, 4.5)
