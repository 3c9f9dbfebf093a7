"""What the autoencoder notebooks share: data, corruptions, batches, models, training, metrics, figures.

Data flows one way, one module an arrow:

    datasets -> corruptions -> pairs -> models -> training -> metrics -> plots -> widgets
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # no start-up lines from TensorFlow between the figures
