"""A version as a folder, a Bento and an image."""
