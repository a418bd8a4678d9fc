"""What glibc keeps of memory that was freed, and how it is given back to the kernel. Without glibc, nothing is done."""

import asyncio
import ctypes

LARGE = 8 * 2**20  # bytes; what ordinary pictures need stays below
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h


def keep_large_blocks_apart() -> None:
    """Let what a giant picture took go back to the kernel: once one was freed, glibc would keep such blocks in its heap."""
    tune = getattr(ctypes.CDLL(None), "mallopt", None)
    if tune:
        tune(M_MMAP_THRESHOLD, LARGE)
        tune(M_TRIM_THRESHOLD, 2 * LARGE)  # else each request would take its pages from the kernel anew


def trim() -> None:
    """Give back what is free: glibc would keep what loading a version took, or many large bodies."""
    give_back = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if give_back:
        give_back(0)


def trim_aside() -> None:
    """Do so without keeping the event loop waiting."""
    asyncio.get_running_loop().run_in_executor(None, trim)
