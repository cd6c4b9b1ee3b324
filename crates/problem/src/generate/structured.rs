//! CNF with structure: combinatorial and circuit problems.

use super::graphs::random_pairs;
use super::random::Random;
use super::{
    Colouring, Content, Counter, Factoring, GENERATED_VARIABLES_MAX, GenerateError, Made, Parity, Pigeonhole,
    bounded, within,
};
use crate::canonical::{ClauseList, Cnf, Literal};

fn cnf(variables: u32, clauses: ClauseList) -> Content {
    Content::Cnf(Cnf { variables, clauses })
}

fn positive(variable: u32) -> Literal {
    Literal::new(variable, false)
}

fn negative(variable: u32) -> Literal {
    Literal::new(variable, true)
}

pub(super) fn pigeonhole(p: &Pigeonhole) -> Made {
    within("the number of pigeons", p.pigeons, 1, 1 << 12)?;
    within("the number of holes", p.holes, 1, 1 << 12)?;
    let (pigeons, holes) = (u64::from(p.pigeons), u64::from(p.holes));
    bounded(pigeons * holes + holes * pigeons * (pigeons - 1))?;
    let sits = |pigeon, hole| pigeon * p.holes + hole;
    let mut clauses = ClauseList::new();
    for pigeon in 0..p.pigeons {
        let somewhere: Vec<_> = (0..p.holes).map(|hole| positive(sits(pigeon, hole))).collect();
        clauses.push(&somewhere);
    }
    for hole in 0..p.holes {
        for second in 1..p.pigeons {
            for first in 0..second {
                clauses.push(&[negative(sits(first, hole)), negative(sits(second, hole))]);
            }
        }
    }
    Ok((cnf(p.pigeons * p.holes, clauses), None))
}

pub(super) fn colouring(p: &Colouring, seed: u64) -> Made {
    within("the number of colours", p.colours, 2, 64)?;
    within("the number of vertices", p.vertices, 2, GENERATED_VARIABLES_MAX / 64)?;
    let colours = u64::from(p.colours);
    bounded(u64::from(p.vertices) * colours * colours + 2 * u64::from(p.edges) * colours)?;
    let mut random = Random::new(seed, 11);
    let mut colour: Vec<u32> = (0..p.vertices).map(|v| v % p.colours).collect();
    random.shuffle(&mut colour);
    let pairs = if p.planted {
        two_coloured_pairs(p, &colour, &mut random)?
    } else {
        random_pairs(p.vertices, p.edges, &mut random)?
    };
    let has = |vertex, colour| vertex * p.colours + colour;
    let mut clauses = ClauseList::new();
    for vertex in 0..p.vertices {
        let some: Vec<_> = (0..p.colours).map(|c| positive(has(vertex, c))).collect();
        clauses.push(&some);
        for second in 1..p.colours {
            for first in 0..second {
                clauses.push(&[negative(has(vertex, first)), negative(has(vertex, second))]);
            }
        }
    }
    for (u, v) in pairs {
        for c in 0..p.colours {
            clauses.push(&[negative(has(u, c)), negative(has(v, c))]);
        }
    }
    let solution = (0..p.vertices).flat_map(|v| (0..p.colours).map(move |c| (v, c)));
    let planted = p.planted.then(|| solution.map(|(v, c)| colour[v as usize] == c).collect());
    Ok((cnf(p.vertices * p.colours, clauses), planted))
}

/// Different edges between vertices of different colour.
fn two_coloured_pairs(
    p: &Colouring,
    colour: &[u32],
    random: &mut Random,
) -> Result<Vec<(u32, u32)>, GenerateError> {
    let mut class = vec![0u64; p.colours as usize];
    colour.iter().for_each(|&c| class[c as usize] += 1);
    let n = u64::from(p.vertices);
    let possible = (n * n - class.iter().map(|k| k * k).sum::<u64>()) / 2;
    // Up to half of the possible edges, so that drawing until a new one comes stays quick.
    within("the number of edges", p.edges, 0, possible / 2)?;
    let mut seen = std::collections::HashSet::with_capacity(p.edges as usize);
    let mut pairs = Vec::with_capacity(p.edges as usize);
    while pairs.len() < p.edges as usize {
        let (a, b) = (random.index(p.vertices), random.index(p.vertices));
        let pair = (a.min(b), a.max(b));
        if colour[a as usize] != colour[b as usize] && seen.insert(pair) {
            pairs.push(pair);
        }
    }
    Ok(pairs)
}

pub(super) fn parity(p: &Parity, seed: u64) -> Made {
    within("the number of variables", p.variables, 3, GENERATED_VARIABLES_MAX)?;
    bounded(12 * u64::from(p.equations))?;
    let mut random = Random::new(seed, 12);
    let solution = random.assignment(p.variables);
    let mut chosen = Vec::new();
    let mut clauses = ClauseList::new();
    for _ in 0..p.equations {
        random.distinct(3, p.variables, &mut chosen);
        let odd = chosen.iter().filter(|&&v| solution[v as usize]).count() % 2 == 1;
        // One clause forbids each of the four assignments of the other parity.
        for forbidden in (0u32..8).filter(|bits| (bits.count_ones() % 2 == 1) != odd) {
            let literal = |k: usize| Literal::new(chosen[k], forbidden >> k & 1 == 1);
            clauses.push(&[literal(0), literal(1), literal(2)]);
        }
    }
    Ok((cnf(p.variables, clauses), Some(solution)))
}

/// Gates as clauses (Tseitin's encoding). A signal is a literal, or `None` for constant false.
#[derive(Default)]
struct Circuit {
    variables: u32,
    clauses: ClauseList,
}

type Signal = Option<Literal>;

impl Circuit {
    fn input(&mut self) -> Literal {
        self.variables += 1;
        positive(self.variables - 1)
    }

    fn and(&mut self, a: Signal, b: Signal) -> Signal {
        let (a, b) = (a?, b?);
        let out = self.input();
        self.clauses.push(&[!out, a]);
        self.clauses.push(&[!out, b]);
        self.clauses.push(&[out, !a, !b]);
        Some(out)
    }

    fn or(&mut self, a: Signal, b: Signal) -> Signal {
        match (a, b) {
            (Some(a), Some(b)) => self.and(Some(!a), Some(!b)).map(|out| !out),
            _ => a.or(b),
        }
    }

    fn xor(&mut self, a: Signal, b: Signal) -> Signal {
        let (Some(a), Some(b)) = (a, b) else { return a.or(b) };
        let out = self.input();
        self.clauses.push(&[!out, a, b]);
        self.clauses.push(&[!out, !a, !b]);
        self.clauses.push(&[out, !a, b]);
        self.clauses.push(&[out, a, !b]);
        Some(out)
    }

    /// Sum and carry of three bits.
    fn add(&mut self, a: Signal, b: Signal, carry: Signal) -> (Signal, Signal) {
        let half = self.xor(a, b);
        let sum = self.xor(half, carry);
        let (first, second) = (self.and(a, b), self.and(half, carry));
        (sum, self.or(first, second))
    }

    /// Demands that the signal has this value.
    fn demand(&mut self, signal: Signal, value: bool) {
        match signal {
            Some(literal) => self.clauses.push(&[if value { literal } else { !literal }]),
            None if value => self.clauses.push(&[]),
            None => {}
        }
    }
}

pub(super) fn counter(p: &Counter) -> Made {
    within("the number of bits", p.bits, 1, 32)?;
    let most = (1u64 << p.bits) - 1;
    within("the target", p.target, 0, most)?;
    within("the number of steps", p.steps, 1, most)?;
    bounded(20 * u64::from(p.steps) * u64::from(p.bits))?;
    let mut circuit = Circuit::default();
    let mut state: Vec<Signal> = (0..p.bits).map(|_| Some(circuit.input())).collect();
    for &bit in &state {
        circuit.demand(bit, false);
    }
    for _ in 0..p.steps {
        let mut carry = Some(circuit.input());
        for bit in &mut state {
            let next = circuit.xor(*bit, carry);
            carry = circuit.and(*bit, carry);
            *bit = next;
        }
    }
    for (k, &bit) in state.iter().enumerate() {
        circuit.demand(bit, p.target >> k & 1 == 1);
    }
    Ok((cnf(circuit.variables, circuit.clauses), None))
}

pub(super) fn factoring(p: &Factoring) -> Made {
    within("the factors' number of bits", p.bits, 2, 32)?;
    let most = if p.bits == 32 { u64::MAX } else { (1u64 << (2 * p.bits)) - 1 };
    within("the product", p.product, 4, most)?;
    let bits = p.bits as usize;
    let mut circuit = Circuit::default();
    let left: Vec<Literal> = (0..bits).map(|_| circuit.input()).collect();
    let right: Vec<Literal> = (0..bits).map(|_| circuit.input()).collect();
    let mut sum: Vec<Signal> = vec![None; 2 * bits];
    for (shift, &factor) in right.iter().enumerate() {
        let mut carry = None;
        for (k, &bit) in left.iter().enumerate() {
            let partial = circuit.and(Some(bit), Some(factor));
            (sum[shift + k], carry) = circuit.add(sum[shift + k], partial, carry);
        }
        sum[shift + bits] = carry;
    }
    for (k, &bit) in sum.iter().enumerate() {
        circuit.demand(bit, p.product >> k & 1 == 1);
    }
    // Above one: some bit beside the lowest.
    circuit.clauses.push(&left[1..]);
    circuit.clauses.push(&right[1..]);
    Ok((cnf(circuit.variables, circuit.clauses), None))
}
