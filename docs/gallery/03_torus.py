"""How many dimensions has a torus?

The slope of the number of near pairs against the radius, where it has a plateau, is the
correlation dimension. The surface of a torus has two, though it takes three coordinates to hold it.
"""

import isofold as iso

ALT = (
    "Slope of the correlation sum against the radius: a plateau near 2 over the radii "
    "that were used."
)

torus = iso.simulate.torus(0, n_samples=4000, noise=0.0)
found = iso.scores.dimension(torus, "correlation", n_bootstrap=20)
low, high = found.interval
print(f"dimension {found.value:.2f}, 95 % {low:.2f} to {high:.2f}")

figure = iso.plot.dimension(found, backend="matplotlib")
figure.set_size_inches(6.4, 3.6)
