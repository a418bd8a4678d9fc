"""Pictures of the web, by their addresses: politely, bounded in time and size, only from public places, whole or not at all.

Knows nothing of providers, licences or the pool.
"""
