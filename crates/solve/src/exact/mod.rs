//! Exact methods: the only part of the portfolio that can say *unsatisfiable* or *optimal*.
//! [`cdcl`] decides satisfiability, [`maxsat`] closes the gap of weighted problems from below and
//! from above, [`ising`] enumerates or eliminates what is small or narrow. Each is sequential code
//! on a thread of its own that advances only while it is given effort ([`strand`]).

pub mod cadical;
pub mod cdcl;
pub mod ising;
pub mod light;
pub mod maxsat;
pub mod oracle;
pub mod strand;
mod units;
