import engine.schema  # noqa: F401 - sets the allocator before Polars is imported
