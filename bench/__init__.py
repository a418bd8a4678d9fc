"""Side-by-side measurements: each module prints ratios against a peer, a floor or a claim."""
