"""Training data: lives of batteries on the disk and the snapshots taken of them."""
