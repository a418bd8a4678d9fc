"""The domain of any picture: nothing is sought in it, the network sees the whole."""
