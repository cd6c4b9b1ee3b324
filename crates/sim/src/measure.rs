//! What the measured part of the main chain says.

use std::collections::BTreeSet;

use hysteron_ledger::{BURNED_PER_CENT, CREDIT_UNITS, Ending, Job};
use hysteron_work::types::{CHIPS_PER_BANK, JobId, LEGS};

use crate::SimError;
use crate::engine::Engine;
use crate::random::Random;
use crate::report::{Figure, Report};
use crate::scenario::Attack;
use crate::tree::BlockIndex;

/// The measured part of the main chain.
struct Window {
    /// The main chain, the genesis first.
    main: Vec<BlockIndex>,
    /// Height of the last block before the window, and of its last.
    heights: [u64; 2],
    /// When those were found, seconds after the genesis.
    times: [f64; 2],
}

/// A miner's part of the window.
#[derive(Clone, Copy, Default)]
struct Share {
    compute: f64,
    /// Atoms that it got.
    drawn: f64,
    /// Atoms that it was to expect, by the times in which its work could count.
    expected: f64,
}

/// Measures a simulation that ran to its end.
///
/// # Errors
/// A fault of the ledger.
pub fn measure(engine: &mut Engine) -> Result<Report, SimError> {
    let scenario = engine.scenario;
    let aims = &scenario.aims;
    let main = engine.tree.branch(engine.best);
    let heights = [scenario.warmup_blocks, scenario.warmup_blocks + scenario.blocks];
    let times = heights.map(|height| engine.tree[main[height as usize]].found_s);
    let window = Window { main, heights, times };
    let mut report = Report::new(scenario);

    let (spacing, error) = spacing(engine, &window);
    let figure = Figure::new("mean spacing", spacing, "s").error(error);
    report.add(match aims.spacing_s {
        Some([aim, most]) => figure.aim(format!("{aim} ± {most}"), (spacing - aim).abs() <= most),
        None => figure,
    });
    let (stale, blocks) = stale(engine, &window);
    let rate = stale / blocks;
    let figure =
        Figure::new("stale blocks", 100.0 * rate, "%").error(100.0 * (rate * (1.0 - rate) / blocks).sqrt());
    report.add(match aims.stale {
        Some(most) => figure.aim(format!("< {}", 100.0 * most), rate < most),
        None => figure,
    });

    let shares = shares(engine, &window);
    let honest: Vec<Share> = shares
        .iter()
        .zip(&engine.population.miners)
        .filter(|(share, miner)| !miner.is_adversary && share.compute > 0.0)
        .map(|(share, _)| *share)
        .collect();
    let slopes = slopes(&honest, scenario.blocks as f64);
    let figure =
        Figure::new("slope of expected reward over compute", slopes.expected.0, "").error(slopes.expected.1);
    report.add(match aims.slope {
        Some(most) => figure.aim(format!("1 ± {most}"), (slopes.expected.0 - 1.0).abs() <= most),
        None => figure,
    });
    report.add(Figure::new("slope of drawn reward over compute", slopes.drawn.0, "").error(slopes.drawn.1));

    delivered(engine, &mut report)?;
    if scenario.adversary.is_some() {
        gain(engine, &window, &shares, &mut report)?;
    }
    if let Some((exited, speed)) = engine.exited {
        let back = window
            .main
            .iter()
            .map(|&block| &engine.tree[block])
            .find(|block| block.found_s > exited && block.next_tries * engine.attempt_s / speed <= 240.0);
        let hours = back.map_or(f64::INFINITY, |block| (block.found_s - exited) / 3600.0);
        let figure = Figure::new("recovery to twice the spacing", hours, "h");
        report.add(match aims.recovery_h {
            Some(most) => figure.aim(format!("<= {most}"), hours <= most),
            None => figure,
        });
    }
    if let Some(healed) = engine.healed.0 {
        let minutes = engine.healed.1.map_or(f64::INFINITY, |one| (one - healed) / 60.0);
        let figure = Figure::new("one tip after the partition", minutes, "min");
        report.add(match aims.healed_min {
            Some(most) => figure.aim(format!("<= {most}"), minutes <= most),
            None => figure,
        });
    }
    let tips: BTreeSet<BlockIndex> = engine.tree_tips();
    report.add(Figure::new("deepest reorganisation", engine.deepest_reorganisation as f64, "blocks"));
    report.add(Figure::new("branches in the tree", tips.len() as f64, ""));
    Ok(report)
}

/// Mean spacing by the headers' times, and its standard error. The difficulty rule's steps telescope: the sum of spacings
/// is fixed by the first and last target, so the error of the mean is that of two targets, not of all intervals.
fn spacing(engine: &Engine, window: &Window) -> (f64, f64) {
    let blocks = (window.heights[1] - window.heights[0]) as f64;
    let [first, last] =
        window.heights.map(|height| engine.tree[window.main[height as usize]].header.time as f64);
    let levels: Vec<f64> = (window.heights[0]..=window.heights[1])
        .map(|height| engine.tree[window.main[height as usize]].next_tries.log2())
        .collect();
    let mean = levels.iter().sum::<f64>() / levels.len() as f64;
    let variance = levels.iter().map(|level| (level - mean).powi(2)).sum::<f64>() / levels.len() as f64;
    let rules = &engine.market.genesis;
    let half_life_s = (rules.spacing_seconds * rules.half_life_blocks) as f64;
    ((last - first) / blocks, half_life_s * (2.0 * variance).sqrt() / blocks)
}

/// Stale blocks and all blocks of the window's heights.
fn stale(engine: &Engine, window: &Window) -> (f64, f64) {
    let within = |height: u64| height > window.heights[0] && height <= window.heights[1];
    let all = (1..engine.tree.len()).filter(|&block| within(engine.tree.height(block))).count() as f64;
    (all - (window.heights[1] - window.heights[0]) as f64, all)
}

/// Compute and reward of every miner in the window.
///
/// The expected reward of a miner is its speed times the integral, over the times in which it worked on a block of the main
/// chain whose successor was not found yet, of (the successor's reward / attempts expected), less half an attempt for each
/// time that it began anew. It is what the drawn reward scatters about, without the lottery's noise.
fn shares(engine: &Engine, window: &Window) -> Vec<Share> {
    let mut shares = vec![Share::default(); engine.population.miners.len()];
    for &block in &window.main[window.heights[0] as usize + 1..=window.heights[1] as usize] {
        let block = &engine.tree[block];
        shares[block.miner].drawn += block.reward as f64;
    }
    // For each block of the main chain: until when work on it counts, and what a second of one core on it is worth.
    let mut worth = vec![(0.0, 0.0); engine.tree.len()];
    for height in window.heights[0]..window.heights[1] {
        let (block, next) = (window.main[height as usize], window.main[height as usize + 1]);
        let next = &engine.tree[next];
        worth[block] =
            (next.found_s, next.reward as f64 / (engine.tree[block].next_tries * engine.attempt_s));
    }
    for session in &engine.population.sessions {
        let miner = &engine.population.miners[session.miner];
        let (from, to) = (session.from.max(window.times[0]), session.to.min(window.times[1]));
        if from >= to {
            continue;
        }
        let share = &mut shares[session.miner];
        share.compute += miner.speed * (to - from);
        let segments = &engine.segments[session.node];
        let first = segments.partition_point(|segment| segment.from <= from).saturating_sub(1);
        for (at, segment) in segments.iter().enumerate().skip(first) {
            if segment.from >= to {
                break;
            }
            let (until, atoms) = worth[segment.tip];
            let end = segments.get(at + 1).map_or(f64::INFINITY, |next| next.from).min(until).min(to);
            let time = end - segment.from.max(from);
            if time > 0.0 && atoms > 0.0 {
                // On average half an attempt is lost; of a time shorter than an attempt all of it, in the mean of uniform ends
                // all but t^2/2d.
                let attempt_s = miner.attempt_s;
                let used =
                    if time >= attempt_s { time - 0.5 * attempt_s } else { 0.5 * time * time / attempt_s };
                share.expected += miner.speed * atoms * used;
            }
        }
    }
    shares
}

struct Slopes {
    expected: (f64, f64),
    drawn: (f64, f64),
}

/// Slopes of the regressions (with an intercept) of reward over compute, both in units of their means, with their standard
/// errors: that of the residuals, and for the drawn rewards that of counts of blocks.
fn slopes(shares: &[Share], blocks: f64) -> Slopes {
    let count = shares.len().max(1) as f64;
    let mean = |of: fn(&Share) -> f64| shares.iter().map(of).sum::<f64>() / count;
    let means = [mean(|s| s.compute), mean(|s| s.expected), mean(|s| s.drawn)].map(|mean| mean.max(1e-300));
    let (mut squares, mut expected, mut drawn, mut drawn_variance) = (0.0, 0.0, 0.0, 0.0);
    for share in shares {
        let x = share.compute / means[0];
        squares += (x - 1.0).powi(2);
        expected += (x - 1.0) * share.expected / means[1];
        drawn += (x - 1.0) * share.drawn / means[2];
        drawn_variance += (x - 1.0).powi(2) * x * count / blocks;
    }
    let slope = expected / squares;
    let residual = |s: &Share| (s.expected / means[1] - 1.0 - slope * (s.compute / means[0] - 1.0)).powi(2);
    let residuals = shares.iter().map(residual).sum::<f64>() / count;
    Slopes {
        expected: (slope, (residuals / squares).sqrt()),
        drawn: (drawn / squares, drawn_variance.sqrt() / squares),
    }
}

/// Booked against delivered, in the ledger's two measures: legs of winning attempts against those that chance gives, and all
/// legs that were run on blocks of the main chain against those that were credited.
fn delivered(engine: &mut Engine, report: &mut Report) -> Result<(), SimError> {
    let scenario = engine.scenario;
    let state = engine.tree.state_at(engine.best)?;
    let jobs: Vec<(JobId, Job)> =
        engine.market.jobs.iter().filter_map(|id| Some((*id, state.job(id)?))).collect();
    let aim = |figure: Figure, sigmas: f64| match scenario.aims.delivered_sigmas {
        Some(most) => figure.aim(format!("within {most}"), sigmas.abs() <= most),
        None => figure,
    };
    let due = |job: &Job| job.due as f64 / hysteron_ledger::LEG_UNITS as f64;
    let sigmas = |proven: f64, due: f64| (proven - due) / due.max(1e-9).sqrt();
    let sum = |of: &dyn Fn(&Job) -> f64| jobs.iter().map(|(_, job)| of(job)).sum::<f64>();
    let (all_proven, all_due) = (sum(&|job| job.proven as f64), sum(&due));
    let all = sigmas(all_proven, all_due);
    report.add(aim(Figure::new("winning legs of jobs against due", all, "sigma"), all));
    let each: Vec<f64> = jobs.iter().map(|(_, job)| sigmas(job.proven as f64, due(job))).collect();
    let worst = each.iter().copied().fold(0.0, |worst: f64, z| if z.abs() > worst.abs() { z } else { worst });
    report.add(Figure::new(format!("the worst of {} jobs", each.len()), worst, "sigma"));

    let credited = sum(&|job| job.delivered as f64) / (CREDIT_UNITS * CHIPS_PER_BANK) as f64;
    let mut random = Random::new(scenario.seed, 4);
    let ids: BTreeSet<JobId> = jobs.iter().map(|(id, _)| *id).collect();
    let mut run = 0.0;
    // What was found on a branch that was given up cannot be claimed, so it is not delivered.
    for block in engine.tree.branch(engine.best) {
        let spent = &engine.spent[block];
        let table = &engine.tree[block].table;
        let all = table.drawn_chips() as f64;
        let policy = engine.policies.get(&block);
        for (index, entry) in table.entries.iter().enumerate().filter(|(_, entry)| ids.contains(&entry.job)) {
            let share = entry.chips as f64 / all;
            let by_adversary = policy.map_or(LEGS as f64 * share, |(policy, classes)| {
                let class = classes[index];
                let of_class = table.entries.iter().zip(classes).filter(|(_, one)| **one == 1);
                let special = of_class.map(|(entry, _)| entry.chips as f64 / all).sum::<f64>();
                let probability = if class == 1 { special } else { 1.0 - special };
                policy.legs[class] * share / probability
            });
            run += random.poisson(spent.honest * LEGS as f64 * share + spent.adversary * by_adversary);
        }
    }
    let runs_job =
        |block: &&BlockIndex| engine.tree[**block].table.entries.iter().any(|e| ids.contains(&e.job));
    let blocks = engine.tree.branch(engine.best).iter().filter(runs_job).count() as f64;
    // The time, and so the legs, of so many blocks has a relative deviation of one over the root of their number.
    let all = (run / credited - 1.0) * blocks.sqrt();
    report.add(aim(Figure::new("all legs run for jobs against credited", all, "sigma"), all));
    report.add(Figure::new("all legs run over credited", run / credited, ""));
    report.add(Figure::new(
        "credited over booked",
        {
            let booked = sum(&|job| job.booked_units() as f64);
            sum(&|job| job.delivered as f64) / booked
        },
        "",
    ));
    Ok(())
}

/// The adversary's share of reward over its share of compute.
fn gain(engine: &mut Engine, window: &Window, shares: &[Share], report: &mut Report) -> Result<(), SimError> {
    let Some(adversary) = &engine.scenario.adversary else { return Ok(()) };
    let miners = &engine.population.miners;
    let of = |part: &dyn Fn(&Share) -> f64, theirs: bool| {
        shares
            .iter()
            .zip(miners)
            .filter(|(_, m)| !theirs || m.is_adversary)
            .map(|(s, _)| part(s))
            .sum::<f64>()
    };
    let compute = of(&|s| s.compute, true) / of(&|s| s.compute, false);
    let reward = of(&|s| s.drawn, true) / of(&|s| s.drawn, false);
    let blocks = engine.scenario.blocks as f64;
    report.add(Figure::new("adversary's share of compute", 100.0 * compute, "%"));
    let error = (reward * (1.0 - reward) / blocks).sqrt() / compute;
    let mut gain = reward / compute;
    if let (Attack::Wash { .. }, Some(wash)) = (adversary.attack, engine.market.wash) {
        report.add(Figure::new("its gain before it pays for its job", gain, "").error(error));
        // What it pays, less what comes back through the pot in the long run, in block rewards of the window.
        let mut earned = [0.0; 2];
        for (earned, height) in earned.iter_mut().zip(window.heights) {
            let state = engine.tree.state_at(window.main[height as usize])?;
            *earned = state.job(&wash).map_or(0.0, |job| job.earned() as f64);
        }
        let issued: f64 = window.main[window.heights[0] as usize + 1..=window.heights[1] as usize]
            .iter()
            .map(|&block| engine.tree[block].issued as f64)
            .sum();
        let returned = reward * (100 - BURNED_PER_CENT) as f64 / 100.0;
        let paid = (earned[1] - earned[0]) * (1.0 - returned) / issued;
        report.add(Figure::new("what it pays, in rewards", paid, ""));
        gain = (reward - paid) / compute;
    }
    let figure = Figure::new("adversary's gain", gain, "").error(error);
    report.add(match engine.scenario.aims.gain {
        Some(most) => figure.aim(format!("<= {most} + 2 errors"), gain <= most + 2.0 * error),
        None => figure,
    });
    if adversary.attack == Attack::Boycott {
        let first = engine.market.jobs[0];
        let job = engine.tree.state_at(engine.best)?.job(&first);
        let starved = job.and_then(|job| job.status.ending()) == Some(Ending::Starved);
        let figure = Figure::new("the boycotted job was found starved", f64::from(u8::from(starved)), "");
        report.add(match engine.scenario.aims.starved {
            Some(aim) => figure.aim(u8::from(aim).to_string(), starved == aim),
            None => figure,
        });
    }
    Ok(())
}

impl Engine<'_> {
    /// Blocks without children.
    fn tree_tips(&self) -> BTreeSet<BlockIndex> {
        let mut tips: BTreeSet<BlockIndex> = (0..self.tree.len()).collect();
        (1..self.tree.len()).for_each(|block| {
            tips.remove(&self.tree[block].parent);
        });
        tips
    }
}
