"""What every room stands on: params, errors, paths, randomness, processes, the console. Knows nothing of pictures."""
