//! Keys, the encrypted keystore, signing.
