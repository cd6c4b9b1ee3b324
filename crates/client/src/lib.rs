//! What a customer's program does beside the keys: prepares a problem file for the network, books it, follows it, and
//! maps the answer back to the file's own variables, scored again from the file.

pub mod prepare;
