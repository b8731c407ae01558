"""Policies, rankings, releases: what turns merged facts into ranks and grades."""

import os

# Polars' allocator gives memory back to the system after half a second by default, and takes it again: a fifth of a
# large merge went into page faults. Three seconds keep the peak as it was (docs/decisions/0008-memory.md). The setting
# must stand before Polars is first imported; whoever has set it keeps theirs.
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:3000,muzzy_decay_ms:0")
