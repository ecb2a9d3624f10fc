"""Tests of the identification; its matrices are too small to be worth a second thread of the linear algebra."""

import os

# Read when NumPy is first imported: on a busy machine the threads of a small product wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
