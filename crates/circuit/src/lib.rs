//! Chips: circuits of ideal memristors, simulated in fixed point. A chip's trajectory is a function
//! of (circuit, seed, parameters, steps) alone, bit for bit, on every backend; the scalar reference
//! defines it. Three families: crossbar for Ising problems, switching and memcomputing for clauses.

mod columns;
pub mod crossbar;
pub mod dense;
pub mod general;
mod kick;
mod literals;
pub mod memcomputing;
pub mod nonces;
pub mod rom;
pub mod run;
pub mod simd;
pub mod switching;
pub mod walk;
