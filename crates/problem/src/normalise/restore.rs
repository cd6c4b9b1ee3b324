//! The way back from the components to the original problem.

/// One variable that no component holds, and how its value follows from others.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// It has this value.
    Fixed { variable: u32, value: bool },
    /// It equals another variable, or its opposite.
    Copied { variable: u32, from: u32, opposite: bool },
    /// A spin takes the sign that lowers the energy in the field of these neighbours.
    Answered { spin: u32, field: i64, neighbours: Box<[(u32, i64)]> },
}

/// Gives assignments of the original problem for assignments of the components, and the energy's
/// relation. Built by [`super::normalise`].
#[derive(Clone, Debug)]
pub struct RestoreMap {
    /// Variables of the original problem.
    pub(super) variables: u32,
    /// For each component, the original variable of each of its variables.
    pub(super) kept: Vec<Vec<u32>>,
    /// Removed variables in the order of their removal: each depends on later ones and kept ones only.
    pub(super) steps: Vec<Step>,
    /// See [`Self::energy`].
    pub(super) constant: i64,
    /// See [`Self::energy`]: 1, 2 or a higher power of two.
    pub(super) divisor: i64,
}

impl RestoreMap {
    /// The assignment of the original problem (one value a variable) that `component_assignments`
    /// stand for: one assignment a component, in the order of the components.
    ///
    /// # Panics
    /// If the number or the lengths of the assignments are not those of the components.
    pub fn restore(&self, component_assignments: &[Vec<bool>]) -> Vec<bool> {
        assert_eq!(component_assignments.len(), self.kept.len(), "one assignment a component");
        let mut original = vec![false; self.variables as usize];
        for (kept, assignment) in self.kept.iter().zip(component_assignments) {
            assert_eq!(kept.len(), assignment.len(), "one value a variable");
            for (&variable, &value) in kept.iter().zip(assignment) {
                original[variable as usize] = value;
            }
        }
        for step in self.steps.iter().rev() {
            match step {
                Step::Fixed { variable, value } => original[*variable as usize] = *value,
                Step::Copied { variable, from, opposite } => {
                    original[*variable as usize] = original[*from as usize] != *opposite;
                }
                Step::Answered { spin, field, neighbours } => {
                    let mut pull = i128::from(*field);
                    for &(neighbour, weight) in neighbours {
                        let weight = i128::from(weight);
                        pull += if original[neighbour as usize] { weight } else { -weight };
                    }
                    original[*spin as usize] = pull <= 0;
                }
            }
        }
        original
    }

    /// The components' assignments that agree with `original` in every variable that they kept: a
    /// start for a search, as good as `original` or better where removed variables answer better.
    ///
    /// # Panics
    /// If `original` does not have one value a variable of the original problem.
    pub fn project(&self, original: &[bool]) -> Vec<Vec<bool>> {
        assert_eq!(original.len(), self.variables as usize, "one value a variable");
        self.kept.iter().map(|kept| kept.iter().map(|&v| original[v as usize]).collect()).collect()
    }

    /// The original problem's energy (WCNF: cost) for a sum of the components' energies:
    /// `(sum + constant) / divisor`, which leaves no remainder for sums that assignments have.
    /// Sums that are lower bounds give lower bounds. Saturates. Meaningless for CNF, where only "all
    /// satisfied" carries over.
    pub fn energy(&self, component_sum: i64) -> i64 {
        let total = i128::from(component_sum) + i128::from(self.constant);
        total.div_euclid(i128::from(self.divisor)).clamp(i64::MIN.into(), i64::MAX.into()) as i64
    }

    /// The largest sum of the components' energies whose [`Self::energy`] is at most `original`: what a
    /// search must reach to reach `original`. Saturates.
    pub fn component_target(&self, original: i64) -> i64 {
        let sum = i128::from(original) * i128::from(self.divisor) - i128::from(self.constant);
        sum.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
    }

    /// What every assignment pays besides the components, in the components' scale.
    pub fn constant(&self) -> i64 {
        self.constant
    }

    /// The factor by which the components' energies are larger than the original's.
    pub fn divisor(&self) -> i64 {
        self.divisor
    }

    /// For each component, the original variable of each of its variables.
    pub fn kept(&self) -> &[Vec<u32>] {
        &self.kept
    }

    /// The number of variables of the original problem.
    pub fn variables(&self) -> u32 {
        self.variables
    }
}
