//! What crosses HTTP and the worker protocol: types, and a blocking client.
