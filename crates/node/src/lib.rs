//! One process of chain, store, net and HTTP API.
