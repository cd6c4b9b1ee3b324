//! A focused walk (probSAT: Balint, Schöning 2012): a random unsatisfied clause, and of its variables one that
//! breaks few others, by chance.

use hysteron_circuit::rom::mix64;

/// Nanoseconds of a flip's fixed part and of each clause that it touches.
const FLIP_COST: u64 = 60;
const CLAUSE_COST: u64 = 8;
/// Breaks from here on are alike.
const BREAK_MAX: usize = 31;

/// A walk on a CNF whose clauses have no repeated variables.
pub struct Walk {
    offsets: Vec<u32>,
    codes: Vec<u32>,
    /// Per literal code, the clauses that it is in: `occurrences[starts[code]..starts[code + 1]]`.
    starts: Vec<u32>,
    occurrences: Vec<u32>,
    /// The current assignment.
    pub values: Vec<bool>,
    best: Vec<bool>,
    best_count: usize,
    /// Per clause, how many literals are true, and the exclusive or of their codes: the one, if there is one.
    true_count: Vec<u32>,
    true_code: Vec<u32>,
    /// Unsatisfied clauses, and where each is in the list.
    unsatisfied: Vec<u32>,
    place: Vec<u32>,
    /// Per variable, the clauses that only it satisfies.
    breaks: Vec<u32>,
    /// The chance of each break, 32 bits.
    chances: [u64; BREAK_MAX + 1],
    state: u64,
}

impl Walk {
    /// A walk on the clauses `codes[offsets[c]..offsets[c + 1]]` of packed literals.
    pub fn new(variables: usize, offsets: &[u32], codes: &[u32]) -> Self {
        let mut starts = vec![0u32; 2 * variables + 1];
        for &code in codes {
            starts[code as usize + 1] += 1;
        }
        for i in 0..2 * variables {
            starts[i + 1] += starts[i];
        }
        let mut next = starts.clone();
        let mut occurrences = vec![0u32; codes.len()];
        for (clause, w) in offsets.windows(2).enumerate() {
            for &code in &codes[w[0] as usize..w[1] as usize] {
                occurrences[next[code as usize] as usize] = clause as u32;
                next[code as usize] += 1;
            }
        }
        let clauses = offsets.len() - 1;
        let longest = offsets.windows(2).map(|w| w[1] - w[0]).max().unwrap_or(0);
        let chance = |breaks: usize| match longest {
            // The break-only polynomial for 3 literals, the exponential for more, with the authors' constants.
            0..=3 => (0.9 + breaks as f64).powf(-2.06),
            4 => 3.0f64.powi(-(breaks as i32)),
            5 => 3.7f64.powi(-(breaks as i32)),
            _ => 5.4f64.powi(-(breaks as i32)),
        };
        Self {
            offsets: offsets.to_vec(),
            codes: codes.to_vec(),
            starts,
            occurrences,
            values: vec![false; variables],
            best: vec![false; variables],
            best_count: usize::MAX,
            true_count: vec![0; clauses],
            true_code: vec![0; clauses],
            unsatisfied: Vec::new(),
            place: vec![u32::MAX; clauses],
            breaks: vec![0; variables],
            chances: std::array::from_fn(|b| (chance(b) * 2f64.powi(31)).max(1.0) as u64),
            state: 0,
        }
    }

    /// Begins at [`Self::values`].
    pub fn start(&mut self, seed: u64) {
        self.state = seed;
        self.unsatisfied.clear();
        self.place.fill(u32::MAX);
        self.breaks.fill(0);
        for (clause, w) in self.offsets.windows(2).enumerate() {
            let (mut count, mut code) = (0, 0);
            for &c in &self.codes[w[0] as usize..w[1] as usize] {
                if self.values[(c >> 1) as usize] != (c & 1 == 1) {
                    count += 1;
                    code ^= c;
                }
            }
            (self.true_count[clause], self.true_code[clause]) = (count, code);
            match count {
                0 => {
                    self.place[clause] = self.unsatisfied.len() as u32;
                    self.unsatisfied.push(clause as u32);
                }
                1 => self.breaks[(code >> 1) as usize] += 1,
                _ => {}
            }
        }
        self.best.clone_from(&self.values);
        self.best_count = self.unsatisfied.len();
    }

    /// The least number of unsatisfied clauses since the start.
    pub fn unsatisfied(&self) -> usize {
        self.best_count
    }
    /// The assignment that had it.
    pub fn best(&self) -> &[bool] {
        &self.best
    }

    /// At most `flips` flips, fewer when all is satisfied. Returns the cost in nanoseconds.
    pub fn run(&mut self, flips: u64) -> u64 {
        let mut touched = 0;
        let mut done = 0;
        while done < flips && !self.unsatisfied.is_empty() {
            done += 1;
            let variable = self.pick();
            touched += self.flip(variable);
            if self.unsatisfied.len() < self.best_count {
                self.best_count = self.unsatisfied.len();
                self.best.copy_from_slice(&self.values);
            }
        }
        done * FLIP_COST + touched * CLAUSE_COST
    }

    fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(1);
        mix64(self.state)
    }

    /// A variable of a random unsatisfied clause.
    fn pick(&mut self) -> u32 {
        let draw = self.draw();
        let clause =
            self.unsatisfied[(((draw >> 32) * self.unsatisfied.len() as u64) >> 32) as usize] as usize;
        let codes = &self.codes[self.offsets[clause] as usize..self.offsets[clause + 1] as usize];
        let chance = |code: u32| self.chances[(self.breaks[(code >> 1) as usize] as usize).min(BREAK_MAX)];
        let total: u64 = codes.iter().map(|&c| chance(c)).sum();
        let mut place = ((draw & 0xffff_ffff) * total) >> 32;
        for &code in codes {
            let width = chance(code);
            if place < width {
                return code >> 1;
            }
            place -= width;
        }
        codes[codes.len() - 1] >> 1
    }

    /// Flips a variable; returns the clauses that it touched.
    fn flip(&mut self, variable: u32) -> u64 {
        let value = &mut self.values[variable as usize];
        *value = !*value;
        let made = variable << 1 | u32::from(!*value);
        let range = |code: u32| self.starts[code as usize] as usize..self.starts[code as usize + 1] as usize;
        let (making, breaking) = (range(made), range(made ^ 1));
        let touched = (making.len() + breaking.len()) as u64;
        for i in making {
            let clause = self.occurrences[i] as usize;
            match self.true_count[clause] {
                0 => {
                    let place = self.place[clause] as usize;
                    self.unsatisfied.swap_remove(place);
                    if let Some(&moved) = self.unsatisfied.get(place) {
                        self.place[moved as usize] = place as u32;
                    }
                    self.breaks[variable as usize] += 1;
                }
                1 => self.breaks[(self.true_code[clause] >> 1) as usize] -= 1,
                _ => {}
            }
            self.true_count[clause] += 1;
            self.true_code[clause] ^= made;
        }
        for i in breaking {
            let clause = self.occurrences[i] as usize;
            self.true_count[clause] -= 1;
            self.true_code[clause] ^= made ^ 1;
            match self.true_count[clause] {
                0 => {
                    self.place[clause] = self.unsatisfied.len() as u32;
                    self.unsatisfied.push(clause as u32);
                    self.breaks[variable as usize] -= 1;
                }
                1 => self.breaks[(self.true_code[clause] >> 1) as usize] += 1,
                _ => {}
            }
        }
        touched
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_stay_true() {
        let mut state = 7;
        let mut draw = |below: u64| {
            state += 1;
            (mix64(state) % below) as u32
        };
        let (mut offsets, mut codes) = (vec![0], Vec::new());
        for _ in 0..170 {
            let first = draw(37);
            for k in 0..1 + draw(4) {
                codes.push(((first + 3 * k) % 40) << 1 | draw(2));
            }
            offsets.push(codes.len() as u32);
        }
        let mut walk = Walk::new(40, &offsets, &codes);
        walk.start(3);
        for _ in 0..50 {
            walk.run(7);
            let holds = |c: u32, values: &[bool]| values[(c >> 1) as usize] != (c & 1 == 1);
            let count = |values: &[bool]| {
                offsets
                    .windows(2)
                    .filter(|w| !codes[w[0] as usize..w[1] as usize].iter().any(|&c| holds(c, values)))
                    .count()
            };
            assert_eq!(count(&walk.values), walk.unsatisfied.len());
            assert_eq!(count(walk.best()), walk.unsatisfied());
            let breaks: Vec<u32> = (0..40)
                .map(|v| {
                    let only = |w: &&[u32]| {
                        let mut truths =
                            codes[w[0] as usize..w[1] as usize].iter().filter(|&&c| holds(c, &walk.values));
                        truths.next().is_some_and(|c| c >> 1 == v) && truths.next().is_none()
                    };
                    offsets.windows(2).filter(only).count() as u32
                })
                .collect();
            assert_eq!(breaks, walk.breaks);
        }
    }
}
