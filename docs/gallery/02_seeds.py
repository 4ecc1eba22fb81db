"""Do seeds agree?

Three seeds of CEBRA by time and by behaviour, from only ten cells, on held-out laps. Each cell:
R² of the linear map from the row's embedding to the column's, fitted on odd laps and scored on
even ones.
"""

from matplotlib.figure import Figure

import isofold as iso

ALT = (
    "Two matrices of consistency between three seeds of CEBRA, by time and by behaviour; "
    "every cell off the diagonal holds the R² of one seed's embedding mapped to another's."
)

rat = iso.simulate.place_cells(seed=0, n_laps=20, n_units=10, rate=20.0)
train, test = rat.split(test=0.25)

figure = Figure(figsize=(8, 3.4), layout="constrained")
for place, (name, labels) in enumerate({"time": None, "behaviour": ["position"]}.items(), start=1):
    model = iso.CEBRA(output_dimension=3, max_iterations=150)
    fits = iso.fit_seeds(model, train, seeds=[0, 1, 2], labels=labels)
    zs = {f"seed {k}": fit.transform(test) for k, fit in enumerate(fits)}
    score = iso.scores.consistency(zs, n_chance=20)
    iso.plot.consistency(score, ax=figure.add_subplot(1, 2, place), title=f"CEBRA by {name}")
    print(f"{name:10} {score.value:.2f}, chance below {score.chance_hi:.2f}")
