//! Clauses in one allocation, with two watched literals each.

use hysteron_problem::Literal;

/// Words before the literals of a clause: length, and quality (0 for clauses that were given).
const HEADER: usize = 2;
/// Learnt clauses that join no more levels than this are kept for ever.
const QUALITY_KEPT: u32 = 2;

/// A clause.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reference(u32);

impl Reference {
    /// No clause: the reason of decisions and of units.
    pub const NONE: Self = Self(u32::MAX);
}

/// A clause in the list of a literal that it watches.
#[derive(Clone, Copy, Debug)]
pub struct Watch {
    /// The clause's reference, with the highest bit set if it is binary.
    pub(super) tagged: u32,
    /// A literal of the clause: if it holds, the clause need not be looked at. In a binary clause
    /// it is the other literal.
    pub blocker: Literal,
}

impl Watch {
    const BINARY: u32 = 1 << 31;

    /// The clause.
    pub fn clause(self) -> Reference {
        Reference(self.tagged & !Self::BINARY)
    }
    /// Whether the clause has two literals.
    pub fn is_binary(self) -> bool {
        self.tagged & Self::BINARY != 0
    }
}

/// What became of a watched literal that is false.
pub enum Rewatch {
    /// Another literal is watched; and a blocker.
    Moved(Literal, Literal),
    /// This literal holds.
    Satisfied(Literal),
    /// All literals but this one are false; it may be too.
    Unit(Literal),
}

/// The clauses and who watches them.
#[derive(Default)]
pub struct Database {
    words: Vec<u32>,
    /// By literal code: the clauses that watch the literal.
    pub watches: Vec<Vec<Watch>>,
    given: Vec<Reference>,
    learnt: Vec<Reference>,
}

impl Database {
    fn range(&self, clause: Reference) -> std::ops::Range<usize> {
        let start = clause.0 as usize + HEADER;
        start..start + self.words[clause.0 as usize] as usize
    }

    /// The number of literals of a clause.
    pub fn len(&self, clause: Reference) -> usize {
        self.words[clause.0 as usize] as usize
    }

    /// The literal at `place` of a clause.
    #[inline]
    pub fn literal(&self, clause: Reference, place: usize) -> Literal {
        Literal::from_code(self.words[clause.0 as usize + HEADER + place])
    }

    /// The literals of a clause.
    pub fn literals(&self, clause: Reference) -> impl Iterator<Item = Literal> {
        self.words[self.range(clause)].iter().map(|&code| Literal::from_code(code))
    }

    /// The levels that a learnt clause joins, 0 for a given one.
    pub fn quality(&self, clause: Reference) -> u32 {
        self.words[clause.0 as usize + 1]
    }

    /// Notes that a learnt clause joins fewer levels than was thought.
    pub fn improve(&mut self, clause: Reference, quality: u32) {
        self.words[clause.0 as usize + 1] = quality;
    }

    /// Adds a clause of at least two literals, of which it watches the first two. `quality` is
    /// given for learnt clauses.
    pub fn add(&mut self, literals: &[Literal], quality: Option<u32>) -> Reference {
        let reference = Reference(self.words.len() as u32);
        self.words.push(literals.len() as u32);
        self.words.push(quality.map_or(0, |q| q.max(1)));
        self.words.extend(literals.iter().map(|l| l.code()));
        // 2^31 words are 8 GiB, beyond every bound on problems that come here.
        assert!(self.words.len() < Watch::BINARY as usize, "clauses exceed 8 GiB");
        if quality.is_some() {
            self.learnt.push(reference);
        } else {
            self.given.push(reference);
        }
        self.watch(reference);
        reference
    }

    fn watch(&mut self, clause: Reference) {
        let (first, second) = (self.literal(clause, 0), self.literal(clause, 1));
        let tagged = if self.len(clause) == 2 { clause.0 | Watch::BINARY } else { clause.0 };
        self.watches[first.code() as usize].push(Watch { tagged, blocker: second });
        self.watches[second.code() as usize].push(Watch { tagged, blocker: first });
    }

    /// Looks for another literal to watch than `falsified`, in a clause of at least three.
    #[inline]
    pub fn rewatch(&mut self, clause: Reference, falsified: Literal, values: &[i8]) -> Rewatch {
        let range = self.range(clause);
        let literals = &mut self.words[range];
        if literals[0] == falsified.code() {
            literals.swap(0, 1);
        }
        let other = literals[0];
        if values[other as usize] == 1 {
            return Rewatch::Satisfied(Literal::from_code(other));
        }
        for place in 2..literals.len() {
            if values[literals[place] as usize] != -1 {
                literals.swap(1, place);
                return Rewatch::Moved(Literal::from_code(literals[1]), Literal::from_code(other));
            }
        }
        Rewatch::Unit(Literal::from_code(other))
    }

    /// Removes the clauses that hold at level 0, which the trail must be at, and if `halves` the
    /// worse half of the learnt ones. Returns the number of words looked at.
    pub fn reduce(&mut self, values: &[i8], halves: bool) -> u64 {
        let visited = self.words.len() as u64 + self.watches.len() as u64;
        if halves {
            // Fewer levels first, then shorter, then younger: what is last goes.
            let words = &self.words;
            self.learnt.sort_by_key(|&Reference(start)| {
                let start = start as usize;
                (words[start + 1], words[start], u32::MAX - start as u32)
            });
            let kept = self.learnt.len() / 2;
            let mut place = 0;
            self.learnt.retain(|&Reference(start)| {
                place += 1;
                place <= kept || words[start as usize + 1] <= QUALITY_KEPT || words[start as usize] == 2
            });
            self.learnt.sort_unstable_by_key(|reference| reference.0);
        }
        let old = std::mem::take(&mut self.words);
        for list in &mut self.watches {
            list.clear();
        }
        let mut literals = Vec::new();
        for is_learnt in [false, true] {
            let list = std::mem::take(if is_learnt { &mut self.learnt } else { &mut self.given });
            for Reference(start) in list {
                let start = start as usize;
                let codes = &old[start + HEADER..start + HEADER + old[start] as usize];
                if codes.iter().any(|&code| values[code as usize] == 1) {
                    continue;
                }
                literals.clear();
                let open = codes.iter().filter(|&&code| values[code as usize] == 0);
                literals.extend(open.map(|&code| Literal::from_code(code)));
                // All units have been propagated, so that at least two literals are open.
                debug_assert!(literals.len() >= 2);
                self.add(&literals, is_learnt.then_some(old[start + 1]));
            }
        }
        visited
    }
}
