"""Single trials around a cue.

One fiber, two cues: every trial is a row, sorted by cue, above the mean of each cue and its
standard error.
"""

import isofold as iso

ALT = (
    "A heat map with one row a trial, aligned to the cue at 0 s and sorted by cue; below it the "
    "two mean responses, large for CS+ and small for CS-."
)

session = iso.simulate.photometry_session(seed=1, duration=900.0)
clean = iso.preprocess.photometry(session, "470", "415")
recording = clean.bin(0.05, signal="dff")
windows = recording.align("cue", (-1.0, 4.0), baseline=(-1.0, 0.0), interpolate=True)
print(dict(windows.sizes))

figure = iso.plot.trials(windows, by="condition", unit="ΔF/F", backend="matplotlib")
figure.set_size_inches(7, 5)
