"""What the autoencoder lessons share: images, corruptions, batches, networks, measures, figures, widgets.

Data flows one way, and a module imports only modules to its left:

    photos, datasets -> corruptions -> pairs -> models, vae -> weights, records
        -> baselines, colors -> metrics -> plots -> widgets -> explorer

`helpers.lab` trains and measures what the lessons open with `weights.load` and `records.load`; nothing imports it.
`helpers.plumbing` holds what a reader may leave alone; all may import it, and it imports nothing but itself.
"""

from .plumbing import quiet as _quiet

_quiet.keep_tensorflow_quiet()  # before anything imports it
