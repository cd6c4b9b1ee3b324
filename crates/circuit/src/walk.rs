//! What a sweep walks through: counts that its cost depends on, taken from the compiled lists.
//!
//! Two sweeps of one bank go through a model of a core with two levels of cache, a first level of page addresses and a simple
//! branch predictor, and the second is counted. The model is made of integers and is the same everywhere, so that its counts may be consensus data; it is not
//! meant to be any CPU, but to tell circuits apart whose rows lie near each other from circuits whose rows do not.

/// Bytes of a cache line; every row of chips is one.
pub const LINE_BYTES: u64 = 64;
/// Ways of both levels.
const WAYS: usize = 8;
/// Sets of the first level: 32 KiB.
const FIRST_SETS: usize = 64;
/// Sets of the second level: 1 MiB.
const SECOND_SETS: usize = 2048;
/// Sets of page addresses, as many ways each: 64 pages.
const PAGE_SETS: usize = 8;
/// Groups of an element whose kinds are looked at one by one.
pub(crate) const KINDS: usize = 13;
/// Places of loops and branches in a kernel.
const PLACES: usize = 3 + KINDS;
/// Contexts of turns that are remembered while a sweep goes on: no more than a branch predictor can.
const CONTEXTS: usize = 1 << 14;
/// Lines of a page.
const PAGE_LINES: u64 = 64;

/// Counts of one sweep of one bank.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Walk {
    /// Elements that are updated: variables or spins.
    pub elements: u64,
    /// Runs of occurrences that one inner loop goes through.
    pub groups: u64,
    /// Occurrences of variables in clauses: literals.
    pub occurrences: u64,
    /// Rows of neighbours that are read and added or combined.
    pub rows: u64,
    /// Of clauses: how many are walked over beside the elements.
    pub clauses: u64,
    /// Literals of these that are read one by one, in clauses too long for a kernel's unrolled loops.
    pub long_literals: u64,
    /// What takes the longer way of a kernel: see the family.
    pub wide: u64,
    /// What takes the kernel's other way: see the family.
    pub other: u64,
    /// Of occurrences, those in clauses too long for loops of known lengths.
    pub long_occurrences: u64,
    /// Loops that turn another number of times than the last at the same place, and branches that go another way, unless the same
    /// came of the same before.
    pub turns: u64,
    /// Accesses in no order that miss the first level, and those that miss the second, far from what was read lately.
    pub random_misses: [u64; 2],
    /// The same of accesses in ascending order, which a CPU sees coming; the second of those near what was read lately, too.
    pub stream_misses: [u64; 2],
    /// Accesses in no order to pages that are not at hand.
    pub page_misses: u64,
    /// Loops with accesses in no order of which any misses the second level: waits that nothing hides.
    pub stalls: u64,
    /// Bytes of state and lists that a sweep goes through.
    pub bytes: u64,
}

/// One level: in each set the lines that are there, the last used first.
struct Level {
    sets: Vec<[u64; WAYS]>,
}

impl Level {
    fn new(sets: usize) -> Self {
        Self { sets: vec![[u64::MAX; WAYS]; sets] }
    }
    /// Whether the line was there; it is now.
    fn has(&mut self, line: u64) -> bool {
        let count = self.sets.len() as u64;
        let set = &mut self.sets[(line % count) as usize];
        let place = set.iter().position(|&l| l == line);
        let last = place.unwrap_or(WAYS - 1);
        set.copy_within(..last, 1);
        set[0] = line;
        place.is_some()
    }
}

/// The model while sweeps go through it.
pub(crate) struct Walker {
    first: Level,
    second: Level,
    pages: Level,
    /// What missed the second level before the loop that goes on.
    missed_before: u64,
    /// Counts of the sweep that goes on.
    pub counts: Walk,
    /// What came last at each place.
    last: [u64; PLACES],
    /// Of turns that came before in this sweep, a hash of what they came of.
    contexts: Vec<u64>,
    /// The last sixteen turns, a byte each.
    history: u128,
    /// Where each stream is: one line at a time is asked for.
    streams: Vec<u64>,
    draws: u64,
}

/// Where memory of one kind begins, in lines, far from all others.
pub(crate) const fn region(index: u64) -> u64 {
    index << 32
}

impl Walker {
    /// Walks twice, and gives the counts of the second time. `bytes` is set from what was asked for.
    pub fn walk(mut sweep: impl FnMut(&mut Self)) -> Walk {
        let mut walker = Self {
            first: Level::new(FIRST_SETS),
            second: Level::new(SECOND_SETS),
            pages: Level::new(PAGE_SETS),
            missed_before: 0,
            counts: Walk::default(),
            last: [u64::MAX; PLACES],
            contexts: vec![0; CONTEXTS],
            history: 0,
            streams: vec![u64::MAX; 16],
            draws: 0,
        };
        sweep(&mut walker);
        walker.counts = Walk::default();
        walker.streams.fill(u64::MAX);
        walker.contexts.fill(0);
        sweep(&mut walker);
        walker.counts
    }

    fn missed(&mut self, line: u64) -> [u64; 2] {
        if self.first.has(line) {
            return [0, 0];
        }
        [1, u64::from(!self.second.has(line))]
    }

    /// A line at some place. What misses the second level near what was read lately, as neighbours in a lattice do, a CPU sees
    /// coming as it does ascending order.
    #[inline]
    pub fn random(&mut self, line: u64) {
        let [first, second] = self.missed(line);
        let is_near = self.pages.has(line / PAGE_LINES);
        self.counts.random_misses[0] += first;
        let seconds = if is_near { &mut self.counts.stream_misses } else { &mut self.counts.random_misses };
        seconds[1] += second;
        self.counts.page_misses += u64::from(!is_near);
    }

    /// The loop at `place` turns `count` times, or a branch there goes the way `count`. A CPU foresees what came the last time, and,
    /// since it remembers what went before, what is regular.
    #[inline]
    pub fn turn(&mut self, place: usize, count: u64) {
        if std::mem::replace(&mut self.last[place], count) != count {
            let mix = crate::rom::mix64;
            let before = self.history as u64 ^ mix((self.history >> 64) as u64);
            let context = mix(before ^ mix(count << 8 | place as u64));
            let known = std::mem::replace(&mut self.contexts[context as usize % CONTEXTS], context);
            self.counts.turns += u64::from(known != context);
            self.history = self.history << 8 | u128::from(count as u8);
        }
    }

    /// A loop begins.
    #[inline]
    pub fn begin_loop(&mut self) {
        self.missed_before = self.counts.random_misses[1];
    }

    /// It ends.
    #[inline]
    pub fn end_loop(&mut self) {
        self.counts.stalls += u64::from(self.counts.random_misses[1] > self.missed_before);
    }

    /// A line that follows the one before.
    #[inline]
    pub fn ordered(&mut self, line: u64) {
        let [first, second] = self.missed(line);
        self.counts.stream_misses[0] += first;
        self.counts.stream_misses[1] += second;
    }

    /// Bytes `from..from + bytes` of list `stream`, which is read from its start to its end.
    #[inline]
    pub fn stream(&mut self, stream: u64, from: u64, bytes: u64) {
        if bytes == 0 {
            return;
        }
        for line in from / LINE_BYTES..=(from + bytes - 1) / LINE_BYTES {
            if self.streams[stream as usize] != line {
                self.streams[stream as usize] = line;
                self.ordered(region(64 + stream) + line);
            }
        }
    }

    /// `bytes` of a table of `length` bytes, from some offset on, as noise does.
    #[inline]
    pub fn table(&mut self, table: u64, length: u64, bytes: u64) {
        self.draws += 1;
        let from = crate::rom::mix64(self.draws) % length;
        for line in from / LINE_BYTES..=(from + bytes - 1) / LINE_BYTES {
            self.ordered(region(128 + table) + line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_found() {
        let walk = |lines: u64| Walker::walk(|w| (0..lines).for_each(|l| w.random(region(1) + l)));
        assert_eq!(walk(512).random_misses, [0, 0]);
        assert_eq!(walk(8192).random_misses, [8192, 0]);
        // The first of each page is far from what was read before, the others are near.
        assert_eq!(walk(40_000).random_misses, [40_000, 40_000 / PAGE_LINES]);
        assert_eq!(walk(40_000).stream_misses, [0, 40_000 - 40_000 / PAGE_LINES]);
        assert_eq!((walk(4096).page_misses, walk(8192).page_misses), (0, 8192 / PAGE_LINES));
    }

    #[test]
    fn what_is_far_apart_is_found_by_chance() {
        let mut draw = 0;
        let walk = Walker::walk(|w| {
            for _ in 0..20_000 {
                draw += 1;
                w.random(region(1) + crate::rom::mix64(draw) % 1024);
            }
        });
        // Half of the lines fit.
        assert!((9000..11_500).contains(&walk.random_misses[0]), "{walk:?}");
        assert_eq!(walk.random_misses[1], 0);
    }

    #[test]
    fn streams_ask_for_a_line_once() {
        let walk = Walker::walk(|w| (0..1600).for_each(|k| w.stream(0, 400 * k, 4)));
        assert_eq!(walk.stream_misses[0], 1600, "far more than a cache, each line once");
        let walk = Walker::walk(|w| (0..320_000).for_each(|k| w.stream(0, 4 * k, 4)));
        assert_eq!(walk.stream_misses, [20_000, 20_000]);
    }

    #[test]
    fn what_is_regular_is_foreseen() {
        let turns = |count: fn(u64) -> u64| {
            let walk = Walker::walk(|w| (0..3000).for_each(|i| w.turn(0, count(i))));
            walk.turns
        };
        assert_eq!(turns(|_| 5), 0);
        // A period of three after a history of sixteen, and where the sweep begins anew.
        assert!((3..40).contains(&turns(|i| i % 3)), "{}", turns(|i| i % 3));
        // Four fifths differ from the last.
        let by_chance = turns(|i| crate::rom::mix64(i) % 5);
        assert!((2300..2500).contains(&by_chance), "{by_chance}");
    }
}
