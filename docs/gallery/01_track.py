"""A rat on a track, by PCA and by CEBRA.

Forty place cells, laps in both directions; held-out laps, coloured by position. PCA heaps much of
the track up in one place. CEBRA was told position and direction of the *other* laps, and lays each
direction out as a curve of its own.
"""

from matplotlib.figure import Figure

import isofold as iso

ALT = (
    "Two embeddings of held-out laps in three dimensions, coloured by position on the track: "
    "in PCA a cloud around one corner, in CEBRA two clean curves, one a direction of running."
)

rat = iso.simulate.place_cells(seed=0, n_laps=20, n_units=40, rate=20.0)
train, test = rat.split(test=0.25)

models = {
    "PCA": iso.PCA(output_dimension=3),
    "CEBRA": iso.CEBRA(output_dimension=3, max_iterations=300, random_state=0),
}
models["PCA"].fit(train)
models["CEBRA"].fit(train, labels=["position", "direction"])

figure = Figure(figsize=(8, 3.6), layout="constrained")
for place, (name, model) in enumerate(models.items(), start=1):
    ax = figure.add_subplot(1, 2, place, projection="3d")
    iso.plot.embedding(model.transform(test), color="position", ax=ax, title=name)
    score = iso.scores.decode(
        model.transform(train), model.transform(test), label="position", n_chance=0
    )
    print(f"{name:6} position R² on held-out laps {score.value:.2f}")
