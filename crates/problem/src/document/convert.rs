//! Conversions between kinds that are exact: every assignment of the result is one of the
//! original (an added spin or relaxation variables aside), and the objectives are related by an
//! affine map.

use std::borrow::Cow;

use super::pseudo_boolean::{LinearObjective, PseudoBoolean, Relation};
use super::quadratic::{Quadratic, Term};
use super::transform::{cut_to_qubo, ising_to_qubo, qubo_to_ising, simplified};
use super::{Body, Document, Kind};
use crate::canonical::{ClauseList, Cnf, Literal, Problem, Wcnf};
use crate::error::{BuildError, WriteError};
use crate::formats::Format;
use crate::objective::Objective;

/// How the objective of the original follows from that of the conversion:
/// `original = scale * converted + offset`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AffineMap {
    /// The factor, not 0; negative where one maximises and the other minimises.
    pub scale: Objective,
    /// What is added.
    pub offset: Objective,
}

impl AffineMap {
    /// The objectives are the same.
    pub const IDENTITY: Self = Self { scale: Objective::integer(1), offset: Objective::integer(0) };

    fn new(scale: Objective, offset: Objective) -> Self {
        Self { scale, offset }
    }
    /// The original's objective where the conversion's is `objective`; `None` if it overflows.
    pub fn apply(&self, objective: Objective) -> Option<Objective> {
        product(self.scale, objective).and_then(|p| sum(p, self.offset))
    }
    /// The map of a conversion of the conversion.
    fn after(self, inner: Self) -> Option<Self> {
        Some(Self { scale: product(self.scale, inner.scale)?, offset: self.apply(inner.offset)? })
    }
    /// A sentence for a comment, unless the objectives are the same.
    pub fn describe(&self) -> Option<String> {
        (*self != Self::IDENTITY).then(|| {
            format!(
                "converted: original objective = {} * objective of this file + {}",
                self.scale, self.offset
            )
        })
    }
}

fn product(a: Objective, b: Objective) -> Option<Objective> {
    Some(Objective::new(a.numerator().checked_mul(b.numerator())?, a.decimals() + b.decimals()))
}

fn sum(a: Objective, b: Objective) -> Option<Objective> {
    let decimals = a.decimals().max(b.decimals());
    let units = |o: Objective| o.numerator().checked_mul(10i128.checked_pow(decimals - o.decimals())?);
    Some(Objective::new(units(a)?.checked_add(units(b)?)?, decimals))
}

/// Why a conversion is not possible, before it is known of what and to what.
pub(super) struct Refusal(String);

impl From<&str> for Refusal {
    fn from(reason: &str) -> Self {
        Self(reason.into())
    }
}

impl From<BuildError> for Refusal {
    fn from(error: BuildError) -> Self {
        Self(error.to_string().trim_end_matches('.').into())
    }
}

pub(super) const OVERFLOW: &str = "the weights do not fit 64 bits after conversion";
type Converted<'a> = Result<(Cow<'a, Document>, AffineMap), Refusal>;

impl Document {
    /// The document in a kind that `format` can say, and how the objectives relate. The result's
    /// objective is minimised except in Max-Cut, OR-Library and `max:` files.
    ///
    /// Exact conversions: CNF to WCNF and OPB; WCNF to OPB, and to CNF or QUBO where it has no soft
    /// clauses or only soft clauses of at most two literals; QUBO, Ising and Max-Cut (with one
    /// more spin for the fields) to each other and to WCNF; pseudo-Boolean files to CNF or WCNF.
    ///
    /// # Errors
    /// If there is no exact conversion, with the reason.
    pub fn convert(&self, format: Format) -> Result<(Cow<'_, Self>, AffineMap), WriteError> {
        self.converted(format).map_err(|Refusal(reason)| WriteError::NotExpressible {
            from: self.kind.name(),
            to: format.name(),
            reason,
        })
    }

    fn converted(&self, format: Format) -> Converted<'_> {
        match format {
            Format::DimacsCnf => self.to_cnf(),
            Format::WcnfOld | Format::WcnfNew => self.to_wcnf(),
            Format::Opb => self.to_opb(),
            Format::Qubo | Format::BiqMacSparse => self.to_qubo(false),
            Format::OrLibrary => self.to_qubo(true)?.without_offset(),
            Format::Coo | Format::BqmJson if self.kind == Kind::Ising => self.to_ising(),
            Format::Coo | Format::BqmJson => self.to_qubo(false),
            Format::IsingCoo => self.to_ising(),
            Format::Rudy => self.to_max_cut(),
        }
    }

    fn unchanged(&self) -> Converted<'_> {
        Ok((Cow::Borrowed(self), AffineMap::IDENTITY))
    }

    fn to_cnf(&self) -> Converted<'_> {
        match &self.canonical.problem {
            Problem::Cnf(_) if self.kind == Kind::Cnf => self.unchanged(),
            Problem::Cnf(cnf) => Ok((Cow::Owned(Self::cnf(cnf.clone())), AffineMap::IDENTITY)),
            _ if self.kind == Kind::MaxSat => self.unchanged(),
            Problem::Wcnf(wcnf) if wcnf.soft.is_empty() && wcnf.offset == 0 => {
                let cnf = Cnf { variables: wcnf.variables, clauses: wcnf.hard.clone() };
                Ok((Cow::Owned(Self::cnf(cnf)), AffineMap::IDENTITY))
            }
            Problem::Wcnf(_) => Err("it has weighted clauses; write it as wcnf-new or wcnf-old".into()),
            Problem::Ising(_) => Err("it has an objective; write it as wcnf-new or wcnf-old".into()),
        }
    }

    fn to_wcnf(&self) -> Converted<'_> {
        let own = |wcnf, decimals| {
            Cow::Owned(Self::clauses(Format::WcnfNew, Kind::Wcnf, Problem::Wcnf(wcnf), decimals))
        };
        match (&self.body, &self.canonical.problem) {
            (Body::Quadratic(_), _) => {
                let (ising, map) = self.to_ising()?;
                let (document, inner) = ising.quadratic_to_wcnf()?;
                Ok((Cow::Owned(document), map.after(inner).ok_or(OVERFLOW)?))
            }
            (_, Problem::Cnf(cnf)) => {
                let wcnf = Wcnf { variables: cnf.variables, hard: cnf.clauses.clone(), ..Wcnf::default() };
                Ok((own(wcnf, 0), AffineMap::IDENTITY))
            }
            (Body::Clauses, _) => self.unchanged(),
            (_, Problem::Wcnf(wcnf)) => {
                let map = &self.canonical.objective;
                let sign = if map.maximises() { -1 } else { 1 };
                let affine = AffineMap::new(Objective::integer(sign), Objective::default());
                Ok((own(wcnf.clone(), map.decimals()), affine))
            }
            (_, Problem::Ising(_)) => unreachable!("only quadratic documents have Ising form"),
        }
    }

    /// Max-2-SAT: a coupling that prefers unequal spins becomes the clauses `i or j` and `not i
    /// or not j`, of which exactly one fails when the spins are equal. Weights become integers.
    fn quadratic_to_wcnf(&self) -> Result<(Self, AffineMap), Refusal> {
        let Body::Quadratic(terms) = &self.body else { unreachable!("called for Ising documents") };
        let mut wcnf = Wcnf { variables: terms.variables, ..Wcnf::default() };
        let mut offset = i128::from(terms.offset);
        for &(i, j, weight) in &terms.terms {
            if weight == 0 {
                continue;
            }
            offset -= i128::from(weight.unsigned_abs());
            let weight_doubled = weight.unsigned_abs().checked_mul(2).ok_or(OVERFLOW)?;
            let mut add = |clause: &[Literal]| {
                wcnf.soft.push(clause);
                wcnf.weights.push(weight_doubled);
            };
            if i == j {
                add(&[Literal::new(i, weight > 0)]);
            } else {
                add(&[Literal::new(i, false), Literal::new(j, weight < 0)]);
                add(&[Literal::new(i, true), Literal::new(j, weight > 0)]);
            }
        }
        let affine =
            AffineMap::new(Objective::new(1, terms.decimals), Objective::new(offset, terms.decimals));
        let problem = Problem::Wcnf(wcnf);
        crate::canonical::check(&problem).map_err(BuildError::NotCanonical)?;
        Ok((Self::clauses(Format::WcnfNew, Kind::Wcnf, problem, 0), affine))
    }

    fn to_opb(&self) -> Converted<'_> {
        match (&self.body, &self.canonical.problem) {
            (Body::PseudoBoolean(_), _) => self.unchanged(),
            (Body::Quadratic(_), _) if self.kind == Kind::Qubo && self.maximise => {
                Self::without_offset_of((Cow::Borrowed(self), AffineMap::IDENTITY))
            }
            (Body::Quadratic(_), _) => Self::without_offset_of(self.to_qubo(false)?),
            (_, Problem::Cnf(cnf)) => {
                let mut constraints = PseudoBoolean::default();
                constraints.variables = cnf.variables;
                push_clauses(&mut constraints, &cnf.clauses);
                Ok((Cow::Owned(Self::pseudo_boolean(constraints)?), AffineMap::IDENTITY))
            }
            (_, Problem::Wcnf(wcnf)) => {
                let decimals = self.canonical.objective.decimals();
                let document = Self::pseudo_boolean(wcnf_to_opb(wcnf, decimals)?)?;
                let offset = Objective::new(wcnf.offset.into(), decimals);
                Ok((Cow::Owned(document), AffineMap::new(Objective::integer(1), offset)))
            }
            (_, Problem::Ising(_)) => unreachable!("only quadratic documents have Ising form"),
        }
    }

    fn to_qubo(&self, maximise: bool) -> Converted<'_> {
        let Body::Quadratic(terms) = &self.body else {
            let (document, map) = (self.max_2_sat_to_qubo()?, AffineMap::IDENTITY);
            return if maximise { document.negated(map) } else { Ok((Cow::Owned(document), map)) };
        };
        match self.kind {
            Kind::Qubo if self.maximise == maximise => self.unchanged(),
            Kind::Qubo => self.negated(AffineMap::IDENTITY),
            Kind::Ising => {
                let document = Self::quadratic(Format::Qubo, Kind::Qubo, false, ising_to_qubo(terms)?)?;
                if maximise {
                    document.negated(AffineMap::IDENTITY)
                } else {
                    Ok((Cow::Owned(document), AffineMap::IDENTITY))
                }
            }
            _ => {
                // The cut itself is a QUBO to be maximised.
                let document = Self::quadratic(Format::OrLibrary, Kind::Qubo, true, cut_to_qubo(terms)?)?;
                if maximise {
                    Ok((Cow::Owned(document), AffineMap::IDENTITY))
                } else {
                    document.negated(AffineMap::IDENTITY)
                }
            }
        }
    }

    /// The same QUBO with the opposite sign and sense.
    fn negated<'a>(&self, map: AffineMap) -> Converted<'a> {
        let Body::Quadratic(terms) = &self.body else { unreachable!("only QUBOs are negated") };
        let mut terms = terms.clone();
        terms.terms.iter_mut().for_each(|t| t.2 = -t.2);
        terms.offset = -terms.offset;
        let format = if self.maximise { Format::Qubo } else { Format::OrLibrary };
        let document = Self::quadratic(format, Kind::Qubo, !self.maximise, terms)?;
        let negation = AffineMap::new(Objective::integer(-1), Objective::default());
        Ok((Cow::Owned(document), map.after(negation).ok_or(OVERFLOW)?))
    }

    /// A QUBO without its offset, which the format has no place for.
    fn without_offset_of(from: (Cow<'_, Self>, AffineMap)) -> Converted<'_> {
        let (document, map) = from;
        let Body::Quadratic(terms) = &document.body else { unreachable!("only QUBOs come here") };
        if terms.offset == 0 {
            return Ok((document, map));
        }
        let shift =
            AffineMap::new(Objective::integer(1), Objective::new(terms.offset.into(), terms.decimals));
        let terms = Quadratic { offset: 0, ..terms.clone() };
        let shifted = Self::quadratic(document.format, document.kind, document.maximise, terms)?;
        Ok((Cow::Owned(shifted), map.after(shift).ok_or(OVERFLOW)?))
    }

    fn to_ising(&self) -> Converted<'_> {
        let Body::Quadratic(terms) = &self.body else {
            let terms = match self.max_2_sat_to_qubo()?.body {
                Body::Quadratic(terms) => qubo_to_ising(&terms)?,
                _ => unreachable!("a QUBO has quadratic terms"),
            };
            let document = Self::quadratic(Format::IsingCoo, Kind::Ising, false, terms)?;
            return Ok((Cow::Owned(document), AffineMap::IDENTITY));
        };
        match self.kind {
            Kind::Ising => self.unchanged(),
            Kind::Qubo => {
                let (qubo, map) = self.to_qubo(false)?;
                let Body::Quadratic(terms) = &qubo.body else { unreachable!("a QUBO has quadratic terms") };
                let document = Self::quadratic(Format::IsingCoo, Kind::Ising, false, qubo_to_ising(terms)?)?;
                Ok((Cow::Owned(document), map))
            }
            _ => {
                // cut = (sum of weights - energy) / 2, where the energy has the edges as couplings.
                let edges: Vec<Term> = terms.terms.iter().copied().filter(|t| t.0 != t.1).collect();
                let all: i128 = edges.iter().map(|t| i128::from(t.2)).sum();
                let affine =
                    AffineMap::new(Objective::new(-5, 1), Objective::new(5 * all, terms.decimals + 1));
                let terms = Quadratic { terms: edges, offset: 0, ..*terms };
                let document = Self::quadratic(Format::IsingCoo, Kind::Ising, false, terms)?;
                Ok((Cow::Owned(document), affine))
            }
        }
    }

    /// Fields become edges to one more vertex, the last.
    fn to_max_cut(&self) -> Converted<'_> {
        if self.kind == Kind::MaxCut {
            return self.unchanged();
        }
        let (ising, map) = self.to_ising()?;
        let Body::Quadratic(terms) = &ising.body else { unreachable!("an Ising model has quadratic terms") };
        let fields = terms.terms.iter().any(|t| t.0 == t.1);
        let vertices = terms.variables + u32::from(fields);
        let edges: Vec<Term> = terms
            .terms
            .iter()
            .map(|&(i, j, weight)| if i == j { (i, terms.variables, weight) } else { (i, j, weight) })
            .collect();
        let all: i128 = edges.iter().map(|t| i128::from(t.2)).sum();
        let offset = Objective::new(all + i128::from(terms.offset), terms.decimals);
        let graph = Quadratic::new(vertices, edges, 0, terms.decimals)?;
        let document = Self::quadratic(Format::Rudy, Kind::MaxCut, true, graph)?;
        let affine = AffineMap::new(Objective::integer(-2), offset);
        Ok((Cow::Owned(document), map.after(affine).ok_or(OVERFLOW)?))
    }

    /// The QUBO of a clausal document whose clauses are soft and have at most two literals.
    fn max_2_sat_to_qubo(&self) -> Result<Self, Refusal> {
        let (Body::Clauses, Problem::Wcnf(wcnf)) = (&self.body, &self.canonical.problem) else {
            return Err("it has hard constraints, which an objective alone cannot state exactly".into());
        };
        if !wcnf.hard.is_empty() {
            return Err("it has hard clauses, which an objective alone cannot state exactly".into());
        }
        if wcnf.soft.longest() > 2 {
            return Err("it has clauses of more than two literals".into());
        }
        let mut terms: Vec<Term> = Vec::new();
        let mut offset = i128::from(wcnf.offset);
        for (clause, &weight) in wcnf.soft.iter().zip(&wcnf.weights) {
            let weight = i64::try_from(weight).map_err(|_| OVERFLOW)?;
            // The clause costs its weight where all negated literals hold.
            let mut negated: Vec<Literal> = clause.iter().map(|&l| !l).collect();
            negated.sort_unstable();
            negated.dedup();
            if let [a, b] = negated[..]
                && a.variable() == b.variable()
            {
                continue;
            }
            // A product of factors x or 1 - x, expanded.
            let factor = |l: Literal| if l.is_negative() { (1, -1) } else { (0, 1) };
            match negated[..] {
                [] => offset += i128::from(weight),
                [a] => {
                    let (constant, slope) = factor(a);
                    offset += i128::from(constant * weight);
                    terms.push((a.variable(), a.variable(), slope * weight));
                }
                [a, b] => {
                    let ((a0, a1), (b0, b1)) = (factor(a), factor(b));
                    offset += i128::from(a0 * b0 * weight);
                    terms.push((a.variable(), b.variable(), a1 * b1 * weight));
                    terms.push((a.variable(), a.variable(), a1 * b0 * weight));
                    terms.push((b.variable(), b.variable(), b1 * a0 * weight));
                }
                _ => unreachable!("the longest clause has two literals"),
            }
        }
        let offset = i64::try_from(offset).map_err(|_| OVERFLOW)?;
        let decimals = self.canonical.objective.decimals();
        let terms = simplified(wcnf.variables, &terms, offset, decimals)?;
        Ok(Self::quadratic(Format::Qubo, Kind::Qubo, false, terms)?)
    }
}

trait WithoutOffset<'a> {
    fn without_offset(self) -> Converted<'a>;
}

impl<'a> WithoutOffset<'a> for (Cow<'a, Document>, AffineMap) {
    fn without_offset(self) -> Converted<'a> {
        Document::without_offset_of(self)
    }
}

fn push_clauses(constraints: &mut PseudoBoolean, clauses: &ClauseList) {
    for clause in clauses.iter() {
        // A repeated literal would count twice in a sum; in a clause it counts once.
        let mut literals = clause.to_vec();
        literals.sort_unstable();
        literals.dedup();
        let terms: Vec<(i64, Literal)> = literals.into_iter().map(|l| (1, l)).collect();
        constraints.push(&terms, Relation::AtLeast, 1);
    }
}

/// A soft clause costs its weight through the literal that relaxes it: its own negation if it
/// has one literal, or else a new variable.
fn wcnf_to_opb(wcnf: &Wcnf, decimals: u32) -> Result<PseudoBoolean, Refusal> {
    let mut constraints = PseudoBoolean::default();
    push_clauses(&mut constraints, &wcnf.hard);
    let mut variables = wcnf.variables;
    let mut terms = Vec::with_capacity(wcnf.weights.len());
    for (clause, &weight) in wcnf.soft.iter().zip(&wcnf.weights) {
        let weight = i64::try_from(weight).map_err(|_| OVERFLOW)?;
        if let [literal] = clause {
            terms.push((weight, !*literal));
            continue;
        }
        let relaxation = Literal::new(variables, false);
        variables += 1;
        let mut relaxed = ClauseList::new();
        relaxed.push(&[clause, &[relaxation]].concat());
        push_clauses(&mut constraints, &relaxed);
        terms.push((weight, relaxation));
    }
    if variables > crate::canonical::VARIABLES_MAX {
        return Err("it would need too many relaxation variables".into());
    }
    constraints.variables = variables;
    constraints.objective = Some(LinearObjective { maximise: false, terms, decimals });
    Ok(constraints)
}
