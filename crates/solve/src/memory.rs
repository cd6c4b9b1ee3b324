//! What a search will need of memory, predicted before it begins, and what there is.

use hysteron_problem::Problem;

/// Where the system does not say what is free.
const FREE_UNKNOWN_BYTES: u64 = 8 << 30;

/// About how many bytes a search on `problem` with this many threads takes at its peak, reading included.
///
/// The constants were measured with two threads: peak resident memory of 15 s searches on generated problems of
/// 10^5 and 10^6 variables, rounded up (`bench/README.md`). Methods that would take more refuse the problem, and
/// the others go on without them.
pub fn memory_estimate(problem: &Problem, threads: usize) -> u64 {
    let (elements, per_element, variables) = match problem {
        Problem::Cnf(cnf) => (cnf.clauses.literals().len(), 135, cnf.variables),
        Problem::Wcnf(wcnf) => (wcnf.hard.literals().len() + wcnf.soft.literals().len(), 480, wcnf.variables),
        Problem::Ising(ising) => {
            let per_coupling = if crate::ising::dense::is_dense(ising) { 80 } else { 320 };
            (ising.couplings.len(), per_coupling, ising.spins)
        }
    };
    let with_two = elements as u64 * per_element + 400 * u64::from(variables);
    // The problem is held once, circuits and states by each thread.
    with_two * 2 / 5 + with_two * 3 / 10 * threads as u64 + (16 << 20)
}

/// How many bytes a search may take: nine tenths of what the machine has free.
pub fn memory_limit() -> u64 {
    let free = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find(|l| l.starts_with("MemAvailable:"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    });
    free.map_or(FREE_UNKNOWN_BYTES, |kib| kib * 1024 / 10 * 9)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hysteron_problem::Cnf;

    #[test]
    fn threads_and_there_is_a_limit() {
        let problem = Problem::Cnf(Cnf { variables: 1_000_000, ..Cnf::default() });
        assert!(memory_estimate(&problem, 8) > memory_estimate(&problem, 1));
        assert!(memory_limit() > 0);
    }
}
