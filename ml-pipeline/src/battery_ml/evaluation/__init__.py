"""Evaluation of models on lives that they were not trained on."""
