//! What a search will need of memory, predicted before it begins, and what there is.

use std::path::Path;

use hysteron_problem::Problem;

use crate::portfolio::learn_again_bytes;

/// Where the system does not say what is free.
const FREE_UNKNOWN_BYTES: u64 = 8 << 30;

/// About how many bytes a search on `problem` with this many threads takes at its peak, reading included.
///
/// The constants were measured with two threads: peak resident memory of 15 s searches on generated problems of
/// 10^5 and 10^6 variables, rounded up (`bench/README.md`). Methods that would take more refuse the problem, and
/// the others go on without them. A second clause learning, where there may be one, comes on top.
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
    let again = match problem {
        Problem::Cnf(cnf) if threads > 1 => learn_again_bytes(cnf),
        _ => 0,
    };
    // The problem is held once, circuits and states by each thread.
    with_two * 2 / 5 + with_two * 3 / 10 * threads as u64 + again + (16 << 20)
}

/// How many bytes a search may take: nine tenths of what the machine, and the control group that the process runs in
/// (a container's), have free.
pub fn memory_limit() -> u64 {
    let machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find(|l| l.starts_with("MemAvailable:"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
    });
    let group = std::fs::read_to_string("/proc/self/cgroup")
        .ok()
        .and_then(|text| control_group_free(Path::new("/sys/fs/cgroup"), &text));
    machine.into_iter().chain(group).min().map_or(FREE_UNKNOWN_BYTES, |free| free / 10 * 9)
}

/// What the control groups (version 2) that `membership` names below `root` leave free: the least over the group and
/// its ancestors; `None` where none has a limit.
fn control_group_free(root: &Path, membership: &str) -> Option<u64> {
    let path = membership.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let number = |directory: &Path, file: &str| -> Option<u64> {
        std::fs::read_to_string(directory.join(file)).ok()?.trim().parse().ok()
    };
    root.join(path)
        .ancestors()
        .take_while(|directory| directory.starts_with(root))
        .filter_map(|directory| {
            let limit = number(directory, "memory.max")?;
            // Files that were read once and can be dropped count as used, but are free.
            let statistics = std::fs::read_to_string(directory.join("memory.stat")).unwrap_or_default();
            let cached = statistics.lines().find_map(|line| line.strip_prefix("inactive_file "));
            let cached: u64 = cached.and_then(|bytes| bytes.trim().parse().ok()).unwrap_or(0);
            Some(limit.saturating_sub(number(directory, "memory.current")?.saturating_sub(cached)))
        })
        .min()
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

    #[test]
    fn the_tightest_control_group_counts() {
        let root = std::env::temp_dir().join(format!("hysteron-control-group-{}", std::process::id()));
        let inner = root.join("outer/inner");
        std::fs::create_dir_all(&inner).expect("a folder for the test");
        let write = |directory: &Path, limit: &str, current: &str| {
            std::fs::write(directory.join("memory.max"), limit).expect("written");
            std::fs::write(directory.join("memory.current"), current).expect("written");
        };
        write(&inner, "max\n", "10\n");
        write(&root.join("outer"), "1000\n", "400\n");
        assert_eq!(control_group_free(&root, "0::/outer/inner\n"), Some(600));
        std::fs::write(root.join("outer/memory.stat"), "anon 300\ninactive_file 100\n").expect("written");
        assert_eq!(control_group_free(&root, "0::/outer/inner\n"), Some(700));
        write(&inner, "500\n", "600\n");
        assert_eq!(control_group_free(&root, "1:name=x:/y\n0::/outer/inner\n"), Some(0));
        assert_eq!(control_group_free(&root, "0::/elsewhere\n"), None);
        assert_eq!(control_group_free(&root, "3:memory:/outer\n"), None);
        std::fs::remove_dir_all(&root).expect("removed");
    }
}
