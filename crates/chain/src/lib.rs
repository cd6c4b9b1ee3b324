//! Headers, blocks, validation, difficulty, fork choice, mempool. Pure.
