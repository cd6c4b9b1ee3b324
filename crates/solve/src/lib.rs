//! The solver (under construction).
