"""From the bytes of a picture to an answer, and the proof that a version still gives it. Knows nothing of registries."""
