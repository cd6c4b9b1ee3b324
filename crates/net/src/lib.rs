//! The peer-to-peer network: gossip, sync, discovery, limits.
