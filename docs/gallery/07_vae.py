"""What a VAE does with a label.

CI-iVAE on place cells, trained with the position of the other laps. Its embedding of held-out
laps from activity alone, and told the label: samples that the activity puts in a wrong place are
pulled to where the label says. The second picture proves nothing about the activity.
"""

from matplotlib.figure import Figure

import isofold as iso

ALT = (
    "Two embeddings of the same held-out laps in two dimensions, coloured by position: from "
    "activity alone some samples lie in wrong places, told the label none does."
)

rat = iso.simulate.place_cells(seed=0, n_laps=12, n_units=30, rate=20.0)
train, test = rat.split(test=0.25)
model = iso.CIiVAE(output_dimension=2, observation="poisson", max_iterations=300, random_state=0)
model.fit(train, labels=["position", "direction"])

figure = Figure(figsize=(8, 3.4), layout="constrained")
for place, told in enumerate((False, True), start=1):
    z = model.transform(test, with_labels=told)
    ax = figure.add_subplot(1, 2, place)
    title = "told the label" if told else "from activity alone"
    iso.plot.embedding(z, color="position", ax=ax, title=title)
