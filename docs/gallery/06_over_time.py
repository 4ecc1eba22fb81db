"""When does the trial tell its cue?

The cue of held-out trials, decoded from the half second before each time, over the band that 95
% of permuted labels keep to. Before the cue there is nothing to tell.
"""

import isofold as iso

ALT = (
    "Accuracy of decoding the cue against time from it: inside the band of chance before 0 s, "
    "above it soon afterwards."
)

session = iso.simulate.photometry_session(seed=1, duration=900.0)
recording = iso.preprocess.photometry(session, "470", "415").bin(0.05, signal="dff")
windows = recording.align("cue", (-1.0, 4.0), baseline=(-1.0, 0.0))
course = iso.single_trial.decode_over_time(windows[:, ::4], "condition", width=0.5, n_chance=100)
table = course.to_dataframe().reset_index().rename(columns={"accuracy": "value"})
table = table.rename(columns={"chance_mean": "chance"}).assign(line="one fiber")
print("first time with p < .05:", table["time"][table["p_max"] < 0.05].min(), "s after the cue")

figure = iso.plot.over_time(table, unit="balanced accuracy", backend="matplotlib")
figure.set_size_inches(6.4, 3.6)
