"""How many dimensions has a torus?

The correlation dimension is the slope of the number of near pairs against the radius, where it
has a plateau. A walk over a torus in fifty channels has two dimensions; PCA would need four.
"""

import isofold as iso

ALT = (
    "Slope of the correlation sum against the radius: a plateau near 2 over the radii "
    "that were used."
)

torus = iso.simulate.torus(0, n_samples=4000, noise=0.0)
found = iso.scores.dimension(torus, "correlation", n_bootstrap=20)
print(found)

figure = iso.plot.dimension(found, backend="matplotlib")
figure.set_size_inches(6.4, 3.6)
