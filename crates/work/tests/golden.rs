//! Golden vectors: what nodes must agree on. `HYSTERON_GOLDEN=write cargo test -p hysteron-work` regenerates them.

mod common;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use common::{check_golden, hex, problems, small_rules, store, table};
use hysteron_circuit::run::{Cpu, Start};
use hysteron_circuit::simd::Level;
use hysteron_work::kernel::{Kernel, classify};
use hysteron_work::parameters::sets;
use hysteron_work::{
    Claim, Class, Compiled, CpuRunner, Meter, RunRequest, Sizes, Target, Tuning, WorkRules, attempt, cost,
    draw, hash, normalisation_check, pre_hash,
};
use serde_json::json;

#[test]
fn hashes_targets_and_encodings() {
    let target = Target::from_expected_tries(1000);
    let claim = Claim {
        header: vec![1, 2, 3],
        nonce: 77,
        leg: 2,
        digests: vec![[4; 32], [5; 32]],
        lane: 9,
        assignment: hysteron_work::Assignment::pack(&[
            true, false, true, true, false, false, false, false, true,
        ]),
    };
    let value = json!({
        "hash": hex(&hash("test", &[b"hysteron"])),
        "pre": hex(&pre_hash(&[1; 32], 2)),
        "target_1000": hex(&target.0),
        "main": hex(&borsh::to_vec(&WorkRules::main()).unwrap()),
        "devnet": hex(&borsh::to_vec(&WorkRules::devnet()).unwrap()),
        "tuning": hex(&hash("test", &[&borsh::to_vec(&Tuning::default()).unwrap()])),
        "claim": hex(&borsh::to_vec(&claim).unwrap()),
        "table": hex(&hash("test", &[&borsh::to_vec(&table()).unwrap()])),
    });
    check_golden("encodings", &value);
}

#[test]
fn draws() {
    let table = table();
    let drawn: Vec<_> = (0..64u8)
        .map(|k| {
            let leg = draw(&table, &hash("test-seed", &[&[k]]));
            json!(format!(
                "{:?} {:?} set {} seed {:016x}",
                leg.task, leg.start, leg.parameter_set, leg.run_seed
            ))
        })
        .collect();
    check_golden("draws", &json!(drawn));
}

#[test]
fn steps_and_classes() {
    let mut value = Vec::new();
    for (class, problem) in problems() {
        let sizes = Sizes::of(&problem);
        assert_eq!(classify(&problem, &sizes).unwrap(), class);
        let compiled = Compiled::new(Arc::new(problem.clone()));
        let steps: Vec<String> = sets(class)
            .iter()
            .map(|set| Kernel::of(set, &sizes).expect("small weights"))
            .filter(|kernel| !kernel.is_metered())
            .map(|kernel| {
                let steps = compiled.steps(kernel, WorkRules::main().leg_work).unwrap();
                format!("{kernel:?} {steps} {:?}", cost::terms(compiled.walk(kernel).unwrap()))
            })
            .collect();
        let mut steps = steps;
        steps.dedup();
        let admitted = normalisation_check(&problem, &WorkRules::main());
        value.push(json!({
            "sizes": format!("{sizes:?}"), "steps": steps, "admitted": format!("{admitted:?}"),
        }));
    }
    check_golden("steps", &json!(value));
}

/// Every parameter set of every class on a small problem, on every backend.
#[test]
fn legs() {
    let stop = AtomicBool::new(false);
    let backends: Vec<Cpu> = Level::available().into_iter().map(Cpu::Lanes).collect();
    let mut value = Vec::new();
    let long = hysteron_problem::generate::Kind::UniformSat(hysteron_problem::generate::UniformSat {
        variables: 30,
        clauses: 200,
        length: 5,
    });
    let mut all = problems();
    if let hysteron_problem::generate::Content::Cnf(cnf) =
        hysteron_problem::generate::generate(&long, 3).unwrap().content
    {
        all.push((Class::LongClauses, hysteron_problem::Problem::Cnf(cnf)));
    }
    for (class, problem) in all {
        let compiled = Compiled::new(Arc::new(problem));
        for (index, set) in sets(class).iter().enumerate() {
            let request = RunRequest { seed: index as u64, start: Start::Random, target: None, stop: &stop };
            // A tenth of a millisecond of the reference core.
            let runs: Vec<_> =
                backends.iter().map(|&cpu| compiled.run_leg(cpu, set, 100_000, &request).unwrap()).collect();
            assert!(runs.iter().all(|r| *r == runs[0]), "{class:?} set {index}: backends differ");
            if index % 8 == 0 {
                let scalar = compiled.run_leg(Cpu::Scalar, set, 100_000, &request).unwrap();
                assert_eq!(scalar, runs[0], "{class:?} set {index}: scalar differs");
            }
            let run = &runs[0];
            let score = hysteron_work::score(compiled.problem(), &run.assignment).unwrap();
            assert_eq!(score, (run.hard_unsatisfied.into(), run.energy), "{class:?} set {index}");
            value.push(json!(format!(
                "{} {index}: {} steps, lane {}, energy {}, hard {}, {}",
                class.name(),
                run.steps,
                run.lane,
                run.energy,
                run.hard_unsatisfied,
                hex(&run.digest[..16])
            )));
        }
    }
    check_golden("legs", &json!(value));
}

#[test]
fn attempts() {
    let (rules, table) = (small_rules(), table());
    let runner = CpuRunner::new(store(), rules.clone(), 1 << 26);
    let stop = AtomicBool::new(false);
    let value: Vec<_> = (0..6u8)
        .map(|k| {
            let th = hash("test-header", &[&[k]]);
            let made = attempt(&th, &table, &rules, &runner, 0, &stop, &Meter::off()).unwrap().unwrap();
            json!({
                "nonce": made.proof.nonce,
                "digests": made.proof.digests.map(|d| hex(&d)),
                "post": hex(&made.post),
                "energies": made.outputs.each_ref().map(|o| o.energy),
                "tasks": made.outputs.each_ref().map(|o| format!("{:?}", o.task)),
            })
        })
        .collect();
    check_golden("attempts", &json!(value));
}
