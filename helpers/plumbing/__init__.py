"""Downloads, files, Colab, and what keeps TensorFlow quiet: nothing that a lesson is about."""
