"""Who signed a version, and with which key."""
