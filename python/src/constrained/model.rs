//! A constrained quadratic model over bounded integers, and what a move changes in it.

/// `sum linear_v x_v + sum square_v x_v^2 + sum pair_vj x_v x_j`, seen from each of its variables.
#[derive(Clone, Debug, Default)]
pub struct Form {
    pub linear: Vec<f64>,
    pub square: Vec<f64>,
    /// For each variable its pairs; each pair is listed with both.
    pub pairs: Vec<Vec<(u32, f64)>>,
}

/// What a constraint's left side is to its right side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sense {
    AtMost,
    Equal,
}

/// How a violation counts.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Rigour {
    Hard,
    /// Costs this much a unit.
    Linear(f64),
    /// Costs this much a squared unit.
    Quadratic(f64),
}

/// One constraint. Variables are known by their place in `variables`.
#[derive(Clone, Debug)]
pub struct Constraint {
    pub sense: Sense,
    pub right: f64,
    pub rigour: Rigour,
    pub variables: Vec<u32>,
    pub form: Form,
}

/// The whole model.
#[derive(Clone, Debug)]
pub struct Model {
    pub lower: Vec<i64>,
    pub upper: Vec<i64>,
    pub objective: Form,
    pub constraints: Vec<Constraint>,
    /// For each variable the constraints that it is in, and its place there.
    pub touched: Vec<Vec<(u32, u32)>>,
}

impl Form {
    pub fn new(variables: usize) -> Self {
        Self {
            linear: vec![0.0; variables],
            square: vec![0.0; variables],
            pairs: vec![Vec::new(); variables],
        }
    }
    /// Adds `bias * x_i * x_j`.
    pub fn add_pair(&mut self, i: usize, j: usize, bias: f64) {
        if i == j {
            self.square[i] += bias;
        } else if bias != 0.0 {
            self.pairs[i].push((j as u32, bias));
            self.pairs[j].push((i as u32, bias));
        }
    }
    /// What a unit of variable `v` adds, its own square aside, where `value` gives the others.
    pub fn slope(&self, v: usize, value: impl Fn(usize) -> f64) -> f64 {
        self.linear[v] + self.pairs[v].iter().map(|&(j, bias)| bias * value(j as usize)).sum::<f64>()
    }
    /// The value of the form.
    pub fn value(&self, value: impl Fn(usize) -> f64 + Copy) -> f64 {
        (0..self.linear.len())
            .map(|v| {
                let (x, pairs) = (value(v), self.slope(v, value) - self.linear[v]);
                x * (self.linear[v] + self.square[v] * x + 0.5 * pairs)
            })
            .sum()
    }
    /// The change when `v` goes from `x` to `x + step`, with this slope.
    pub fn change(&self, v: usize, x: f64, step: f64, slope: f64) -> f64 {
        step * (slope + self.square[v] * (2.0 * x + step))
    }
}

impl Constraint {
    /// By how much `left` breaks it.
    pub fn violation(&self, left: f64) -> f64 {
        match self.sense {
            Sense::AtMost => (left - self.right).max(0.0),
            Sense::Equal => (left - self.right).abs(),
        }
    }
    /// What a violation of a soft constraint costs.
    pub fn cost(&self, violation: f64) -> f64 {
        match self.rigour {
            Rigour::Hard => 0.0,
            Rigour::Linear(weight) => weight * violation,
            Rigour::Quadratic(weight) => weight * violation * violation,
        }
    }
    /// Whether a violation is no more than what doubles lose.
    pub fn holds(&self, violation: f64) -> bool {
        violation <= 1e-7 * self.right.abs().max(1.0)
    }
    pub fn left(&self, state: &[i64]) -> f64 {
        self.form.value(|place| state[self.variables[place] as usize] as f64)
    }
}

impl Model {
    pub fn variables(&self) -> usize {
        self.lower.len()
    }

    /// Broken hard constraints, their violations' sum, and the objective with the costs of soft constraints: computed anew.
    pub fn score(&self, state: &[i64]) -> Score {
        let mut score =
            Score { broken: 0, violation: 0.0, objective: self.objective.value(|v| state[v] as f64) };
        for constraint in &self.constraints {
            let violation = constraint.violation(constraint.left(state));
            if constraint.rigour != Rigour::Hard {
                score.objective += constraint.cost(violation);
            } else if !constraint.holds(violation) {
                score.broken += 1;
                score.violation += violation;
            }
        }
        score
    }
}

/// How good a state is; less is better, feasibility first.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Score {
    pub broken: usize,
    pub violation: f64,
    pub objective: f64,
}

impl Score {
    pub fn order(&self, other: &Self) -> std::cmp::Ordering {
        self.broken
            .cmp(&other.broken)
            .then(self.violation.total_cmp(&other.violation))
            .then(self.objective.total_cmp(&other.objective))
    }
}

/// A state with what it costs to keep: moves are evaluated from here.
pub struct Position<'a> {
    pub model: &'a Model,
    pub state: Vec<i64>,
    /// What a unit of each variable adds to the objective, its own square aside.
    slopes: Vec<f64>,
    /// Left sides.
    pub left: Vec<f64>,
    /// What a unit of violation of each hard constraint costs at present.
    pub weights: Vec<f64>,
    /// Hard constraints that are broken.
    pub broken: usize,
    /// Objective with the costs of soft constraints, up to what doubles lose.
    pub objective: f64,
}

/// What a step of one variable changes.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Change {
    /// Objective and costs of soft constraints.
    pub objective: f64,
    /// Weighted violations.
    pub penalty: f64,
}

impl Change {
    pub fn total(self) -> f64 {
        self.objective + self.penalty
    }
}

impl<'a> Position<'a> {
    pub fn new(model: &'a Model, state: Vec<i64>, weights: Vec<f64>) -> Self {
        let slopes = (0..model.variables()).map(|v| model.objective.slope(v, |j| state[j] as f64)).collect();
        let left: Vec<f64> = model.constraints.iter().map(|c| c.left(&state)).collect();
        let score = model.score(&state);
        Self { model, state, slopes, left, weights, broken: score.broken, objective: score.objective }
    }

    /// The step of the left side of the constraint in which `v` has this place.
    fn left_change(&self, constraint: &Constraint, place: usize, step: f64) -> f64 {
        let value = |place: usize| self.state[constraint.variables[place] as usize] as f64;
        let slope = constraint.form.slope(place, value);
        constraint.form.change(place, value(place), step, slope)
    }

    /// What a step of `v` would change.
    pub fn change(&self, v: usize, step: i64) -> Change {
        let step = step as f64;
        let model = self.model;
        let mut change = Change {
            objective: model.objective.change(v, self.state[v] as f64, step, self.slopes[v]),
            penalty: 0.0,
        };
        for &(c, place) in &model.touched[v] {
            let constraint = &model.constraints[c as usize];
            let left = self.left[c as usize];
            let after = left + self.left_change(constraint, place as usize, step);
            let (before, after) = (constraint.violation(left), constraint.violation(after));
            if constraint.rigour == Rigour::Hard {
                change.penalty += self.weights[c as usize] * (after - before);
            } else {
                change.objective += constraint.cost(after) - constraint.cost(before);
            }
        }
        change
    }

    /// Takes a step whose change is known.
    pub fn step(&mut self, v: usize, step: i64, change: Change) {
        let model = self.model;
        for &(c, place) in &model.touched[v] {
            let constraint = &model.constraints[c as usize];
            let left = self.left[c as usize];
            let after = left + self.left_change(constraint, place as usize, step as f64);
            if constraint.rigour == Rigour::Hard {
                let held = constraint.holds(constraint.violation(left));
                match (held, constraint.holds(constraint.violation(after))) {
                    (true, false) => self.broken += 1,
                    (false, true) => self.broken -= 1,
                    _ => {}
                }
            }
            self.left[c as usize] = after;
        }
        self.state[v] += step;
        for &(j, bias) in &model.objective.pairs[v] {
            self.slopes[j as usize] += bias * step as f64;
        }
        self.objective += change.objective;
    }
}
