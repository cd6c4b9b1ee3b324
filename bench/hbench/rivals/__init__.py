"""One module per library: each runs a rival inside a worker process and reports through `Context`."""
