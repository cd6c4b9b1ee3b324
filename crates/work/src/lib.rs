//! Proof of useful work: attempts, seeds, the schedule, costs, verification, claims. Pure.
