//! What both arrangements share: one register of clause updates. The same integers as in
//! [`super::scalar`]; there the equations, here the cheapest instructions for them.

use crate::simd::Native;

use super::Parameters;
use super::parameters::LongMemory;
use super::scalar::{RIGIDITY_MAX, VOLTAGE, zeta_shifts};

/// The sign bit: long memories are kept with it flipped, so that signed saturating sums serve.
pub const BIAS: u16 = 0x8000;

/// A long memory's constants, biased, in registers.
#[derive(Clone, Copy)]
pub struct Long<N: Native> {
    /// Least.
    pub floor: N::R,
    /// Most.
    pub cap: N::R,
    /// Rate.
    pub rate: N::R,
}

impl<N: Native> Long<N> {
    /// The same constants in every lane.
    #[inline(always)]
    pub fn splat(memory: LongMemory) -> Self {
        Self {
            floor: N::splat(memory.floor ^ BIAS),
            cap: N::splat(memory.cap ^ BIAS),
            rate: N::splat(memory.rate as u16),
        }
    }
}

/// The constants of a step in registers.
#[derive(Clone, Copy)]
pub struct Constants<N: Native> {
    voltage: N::R,
    one: N::R,
    zero: N::R,
    bias: N::R,
    full: N::R,
    h_one: N::R,
    half: N::R,
    rigidity_max: N::R,
    epsilon: N::R,
    gamma: N::R,
    delta: N::R,
    short_rate: N::R,
    noise: N::R,
    /// The bound of a force.
    pub force_max: N::R,
    left: u32,
    right: u32,
    noise_shift: u32,
    seven: u32,
}

/// What a clause update gives.
pub struct Update<N: Native> {
    /// The force on the literals nearest to true.
    pub nearest: N::R,
    /// The force on the others.
    pub other: N::R,
    /// The new short memory.
    pub xs: N::R,
    /// The new long memory, biased.
    pub xl: N::R,
    /// Where the clause is not satisfied.
    pub unsatisfied: N::Mask,
}

impl<N: Native> Constants<N> {
    /// For one step.
    #[inline(always)]
    pub fn new(parameters: &Parameters, force_max: u16, amplitude: i16) -> Self {
        let (left, right) = zeta_shifts(parameters.zeta_shift);
        Self {
            voltage: N::splat(VOLTAGE as u16),
            one: N::splat(1),
            zero: N::splat(0),
            bias: N::splat(BIAS),
            full: N::splat(65534),
            h_one: N::splat(2048),
            half: N::splat(64),
            rigidity_max: N::splat(RIGIDITY_MAX >> left),
            epsilon: N::splat(parameters.epsilon as u16),
            gamma: N::splat(parameters.gamma as u16),
            delta: N::splat(parameters.delta as u16),
            short_rate: N::splat(parameters.short_rate as u16),
            noise: N::splat(amplitude as u16),
            force_max: N::splat(force_max),
            left,
            right,
            noise_shift: 5,
            seven: 7,
        }
    }

    /// No lane.
    #[inline(always)]
    pub fn zero(&self) -> N::R {
        self.zero
    }

    /// Clauses whose two greatest literal voltages are `most` and `second`.
    #[inline(always)]
    pub fn update(
        &self,
        most: N::R,
        second: N::R,
        xs: N::R,
        biased: N::R,
        r: N::R,
        long: Long<N>,
    ) -> Update<N> {
        let unsatisfied = N::gt_i(self.zero, most);
        let c1 = N::sub(self.voltage, most);
        let c2 = N::sub(self.voltage, second);
        let (c1_twice, c2_twice) = (N::add(c1, c1), N::add(c2, c2));
        let xl = N::xor(biased, self.bias);

        let xs_twice = N::add(xs, xs);
        let g = N::mulhi_u(xl, xs_twice);
        let h = N::add(self.h_one, N::shr_u(N::shl(N::min_u(xl, self.rigidity_max), self.left), self.right));
        let rigid = N::mulhi_u(N::mulhi_u(h, N::sub(self.full, xs_twice)), c1_twice);
        let rigid = N::shr_u(N::add(rigid, self.half), self.seven);
        let nearest = N::min_u(N::adds_u(N::mulhi_u(g, c2_twice), rigid), self.force_max);
        let other = N::min_u(N::mulhi_u(g, c1_twice), self.force_max);

        let p = N::mulhrs(N::adds_i(xs, self.epsilon), N::sub(c1, self.gamma));
        let change = N::mulhrs(p, self.short_rate);
        let change = N::adds_i(change, change);
        let change = N::adds_i(change, change);
        let shake = N::mulhi_i(N::shl(r, self.noise_shift), self.noise);
        let xs = N::max_i(N::adds_i(N::adds_i(xs, change), shake), self.zero);

        let d = N::sub(c1, self.delta);
        let low = N::mul(d, long.rate);
        // The saturated sum differs from the wrapped one just where there is a carry.
        let whole = N::eq(N::adds_u(low, r), N::add(low, r));
        let high = N::mulhi_i(d, long.rate);
        let rise = N::select(whole, high, N::add(high, self.one));
        let xl = N::min_i(N::max_i(N::adds_i(biased, rise), long.floor), long.cap);
        Update { nearest, other, xs, xl, unsatisfied }
    }
}

/// The two greatest of a clause's literal voltages so far.
#[derive(Clone, Copy)]
pub struct Nearest<N: Native> {
    /// The greatest.
    pub most: N::R,
    /// The second greatest, equal to it on a tie.
    pub second: N::R,
}

impl<N: Native> Nearest<N> {
    /// Of one literal alone: the second is as far from true as can be.
    #[inline(always)]
    pub fn first(voltage: N::R) -> Self {
        Self { most: voltage, second: N::splat(!VOLTAGE as u16) }
    }
    /// With one more literal.
    #[inline(always)]
    pub fn and(self, voltage: N::R) -> Self {
        Self {
            most: N::max_i(self.most, voltage),
            second: N::max_i(self.second, N::min_i(self.most, voltage)),
        }
    }
}

/// The voltage after a step: the summed force, bounded, moves it.
#[derive(Clone, Copy)]
pub struct Motion<N: Native> {
    limit: N::R,
    limit_negative: N::R,
    rate: N::R,
    top: N::R,
    bottom: N::R,
}

impl<N: Native> Motion<N> {
    /// The constants in registers.
    #[inline(always)]
    pub fn new(parameters: &Parameters) -> Self {
        Self {
            limit: N::splat(parameters.force_limit() as u16),
            limit_negative: N::splat((-parameters.force_limit()) as u16),
            rate: N::splat(parameters.voltage_rate as u16),
            top: N::splat(VOLTAGE as u16),
            bottom: N::splat(!VOLTAGE as u16),
        }
    }
    /// Moves voltages.
    #[inline(always)]
    pub fn apply(&self, v: N::R, force: N::R) -> N::R {
        let force = N::min_i(N::max_i(force, self.limit_negative), self.limit);
        N::min_i(N::max_i(N::adds_i(v, N::mul(force, self.rate)), self.bottom), self.top)
    }
}

/// A cache line, so that rows do not straddle two.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct Line(pub [u16; 32]);

/// Memory for `count` 16-bit values, aligned to cache lines.
pub fn aligned(count: usize) -> Vec<Line> {
    vec![Line([0; 32]); count.div_ceil(32)]
}
