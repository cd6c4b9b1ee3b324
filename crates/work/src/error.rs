//! What goes wrong, in sentences.

use crate::types::ProblemId;

/// Why an attempt, a proof or a claim does not hold, or could not be checked.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WorkError {
    /// The hash over the claimed digests is not below the target: no simulation was needed to see it.
    #[error("the hash after the last leg does not meet the target")]
    PostHash,
    /// The hash before the first leg is not below its target.
    #[error("the hash of the header and the nonce does not meet the target of the first draw")]
    PreHash,
    /// A leg was re-run and gave something else.
    #[error("leg {leg} gives another digest than the one stated")]
    Digest {
        /// 1 to 4.
        leg: u8,
    },
    /// A claim's parts contradict each other.
    #[error("the claim is malformed: {0}")]
    Malformed(&'static str),
    /// The leg was re-run, and its best lane or assignment is not the one claimed.
    #[error("leg {leg} was run, but its best assignment is not the one claimed")]
    Result {
        /// 1 to 4.
        leg: u8,
    },
    /// The problem's data is not here. It says nothing about whether the proof holds.
    #[error("the data of problem {0} is not here")]
    ProblemMissing(ProblemId),
    /// The problem cannot be simulated within the rules: the chain should not have admitted it.
    #[error("the problem cannot be simulated: {0}")]
    Problem(String),
    /// The caller gave the run up.
    #[error("the run was given up")]
    Interrupted,
}

impl WorkError {
    /// Whether whoever sent the proof or claim is to blame (and not a lack of ours).
    pub fn is_forgery(&self) -> bool {
        !matches!(self, Self::ProblemMissing(_) | Self::Problem(_) | Self::Interrupted)
    }
}

/// Why a problem is not admitted to the chain.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// The bytes are no canonical problem.
    #[error("The problem is not in canonical form: {0}.")]
    NotCanonical(String),
    /// Too many bytes.
    #[error("The problem takes {bytes} bytes; a block takes at most {most}.")]
    Bytes {
        /// How many it takes.
        bytes: usize,
        /// How many there may be.
        most: usize,
    },
    /// Too many variables.
    #[error("The problem has {variables} variables; this network takes at most {most}.")]
    Variables {
        /// How many it has.
        variables: u32,
        /// How many there may be.
        most: u32,
    },
    /// Too many literals or couplings.
    #[error("The problem has {elements} literals or couplings; this network takes at most {most}.")]
    Elements {
        /// How many it has.
        elements: u64,
        /// How many there may be.
        most: u32,
    },
    /// There is nothing to search.
    #[error("Simplifying the problem decides it; there is nothing to search.")]
    Decided,
    /// The client should have normalised.
    #[error(
        "Simplifying leaves {after} of {before} {what}, less than nine tenths. Send the simplified problem, \
         largest component alone, and map its answer back."
    )]
    Shrinks {
        /// Variables, or literals or couplings.
        what: &'static str,
        /// How many there are.
        before: u64,
        /// How many would be left in the largest component.
        after: u64,
    },
    /// Clauses or weights that no admitted chip has wires for.
    #[error("No chip of the network can simulate the problem: {0}.")]
    NoChip(String),
    /// A step would go through more memory than caches hold.
    #[error(
        "A step of the problem's chips goes through {bytes} bytes, or their matrix has so many; at most {most} keep verification in \
         time. Solve it without the network, or book a part of it."
    )]
    TooFar {
        /// How many it would go through.
        bytes: u64,
        /// The most.
        most: u64,
    },
    /// A leg would hold too few steps to search anything.
    #[error("A leg of this network holds {steps} steps of the problem; at least {least} are needed.")]
    TooCostly {
        /// How many it would hold.
        steps: u64,
        /// How many it must.
        least: u32,
    },
}
