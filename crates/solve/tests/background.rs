//! Clause learning beside the other searchers: same answers as brute force, and an end in every case.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use hysteron_circuit::rom::mix64;
use hysteron_problem::{ClauseList, Cnf, Literal, Problem};
use hysteron_solve::exact::cdcl::Background;
use hysteron_solve::exact::strand::Standing;
use hysteron_solve::{Options, Outcome, Source, Status, solve};
use proptest::prelude::*;

const VARIABLES: u32 = 9;

fn options(threads: usize, seed: u64) -> Options {
    Options { time: Some(Duration::from_secs(30)), steps: None, threads, seed, target: None }
}

/// Pigeon holes: one pigeon more than holes, no hole for two.
fn pigeons(holes: u32) -> Cnf {
    let place = |pigeon: u32, hole: u32, negative| Literal::new(pigeon * holes + hole, negative);
    let mut clauses = ClauseList::new();
    for pigeon in 0..=holes {
        clauses.push(&(0..holes).map(|hole| place(pigeon, hole, false)).collect::<Vec<_>>());
    }
    for hole in 0..holes {
        for pigeon in 0..=holes {
            for other in 0..pigeon {
                clauses.push(&[place(pigeon, hole, true), place(other, hole, true)]);
            }
        }
    }
    Cnf { variables: holes * (holes + 1), clauses }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Sparse enough to fall into several components, dense enough to be unsatisfiable at times.
    #[test]
    fn threads_do_not_change_what_is_decided(
        raw in prop::collection::vec(prop::collection::vec((0..VARIABLES, any::<bool>()), 1..4), 0..40),
        seed in any::<u64>(),
    ) {
        let mut clauses = ClauseList::new();
        for clause in &raw {
            clauses.push(&clause.iter().map(|&(v, n)| Literal::new(v, n)).collect::<Vec<_>>());
        }
        let cnf = Cnf { variables: VARIABLES, clauses };
        let is_satisfiable = (0..1u32 << VARIABLES).any(|code| {
            cnf.unsatisfied(&(0..VARIABLES).map(|v| code >> v & 1 == 1).collect::<Vec<_>>()) == 0
        });
        let problem = Problem::Cnf(cnf.clone());
        for threads in 1..=3 {
            let answer = solve(&problem, &options(threads, seed), &(), &AtomicBool::new(false));
            let expected = if is_satisfiable { Status::Satisfiable } else { Status::Unsatisfiable };
            prop_assert_eq!(answer.status, expected, "{} threads", threads);
            prop_assert_eq!(answer.assignment.map(|a| cnf.unsatisfied(&a)), is_satisfiable.then_some(0));
        }
    }
}

#[test]
fn pigeons_are_refuted_beside_the_chips() {
    let answer = solve(&Problem::Cnf(pigeons(7)), &options(2, 1), &(), &AtomicBool::new(false));
    assert_eq!((answer.status, answer.assignment), (Status::Unsatisfiable, None));
}

/// A graph whose vertices have one of three hidden colours, edges only between different ones, at the density where finding
/// three colours is hardest.
fn colours(vertices: u32, seed: u64) -> Cnf {
    let draw = |index: u64, below: u32| (mix64(seed ^ mix64(index)) % u64::from(below)) as u32;
    let mut clauses = ClauseList::new();
    for vertex in 0..vertices {
        clauses.push(&[0, 1, 2].map(|colour| Literal::new(3 * vertex + colour, false)));
    }
    let mut edges = 0;
    for index in 0.. {
        let (a, b) = (draw(2 * index, vertices), draw(2 * index + 1, vertices));
        if a % 3 == b % 3 {
            continue;
        }
        for colour in 0..3 {
            clauses.push(&[a, b].map(|vertex| Literal::new(3 * vertex + colour, true)));
        }
        edges += 1;
        if edges == vertices * 12 / 5 {
            break;
        }
    }
    Cnf { variables: 3 * vertices, clauses }
}

/// These take clause learning longer than it is alone, so that the others, clause learning in another order among them, begin too.
#[test]
fn colours_are_found_whoever_comes_first() {
    for seed in 0..12 {
        let cnf = colours(200, seed);
        let problem = Problem::Cnf(cnf.clone());
        for threads in 1..=3 {
            let answer = solve(&problem, &options(threads, seed), &(), &AtomicBool::new(false));
            assert_eq!(answer.status, Status::Satisfiable, "seed {seed}, {threads} threads");
            assert_eq!(
                answer.assignment.map(|a| cnf.unsatisfied(&a)),
                Some(0),
                "seed {seed}, {threads} threads"
            );
        }
    }
}

#[test]
fn limits_and_interrupts_end_a_search_that_decides_nothing() {
    let problem = Problem::Cnf(pigeons(13));
    let limited = Options { time: Some(Duration::from_millis(200)), ..options(2, 1) };
    assert_eq!(solve(&problem, &limited, &(), &AtomicBool::new(false)).status, Status::Unknown);
    let few_steps = Options { time: None, steps: Some(1000), ..options(2, 1) };
    assert_eq!(solve(&problem, &few_steps, &(), &AtomicBool::new(false)).status, Status::Unknown);
    let interrupted = solve(&problem, &options(2, 1), &(), &AtomicBool::new(true));
    assert_eq!(interrupted.status, Status::Unknown);
    assert!(interrupted.assignment.is_some(), "the best so far is kept");
}

/// Polls until the background is no longer running.
fn wait(background: &mut Background, ended: &mpsc::Receiver<()>) -> Standing {
    for _ in 0..3000 {
        match background.standing() {
            Standing::Running => {
                let _ = ended.recv_timeout(Duration::from_millis(10));
            }
            standing => return standing,
        }
    }
    panic!("still running after 30 s");
}

#[test]
fn the_background_tells_its_verdict_and_that_it_paused() {
    let start = |cnf: &Cnf, effort| {
        let (sender, receiver) = mpsc::channel();
        let told = AtomicBool::new(false);
        let on_end = Box::new(move || {
            assert!(!told.swap(true, Ordering::Relaxed));
            let _ = sender.send(());
        });
        (Background::start(cnf, effort, on_end).expect("a thread"), receiver)
    };
    let (mut refuted, ended) = start(&pigeons(5), u64::MAX);
    let Standing::Ended(verdict) = wait(&mut refuted, &ended) else { panic!("it ends") };
    assert_eq!((verdict.outcome, verdict.model), (Outcome::Unsatisfiable, None));

    let mut one = ClauseList::new();
    one.push(&[Literal::new(0, true)]);
    let (mut satisfied, ended) = start(&Cnf { variables: 1, clauses: one }, u64::MAX);
    let Standing::Ended(verdict) = wait(&mut satisfied, &ended) else { panic!("it ends") };
    assert_eq!(verdict.model, Some((vec![false], Source::Cdcl)));

    let (mut limited, ended) = start(&pigeons(13), 1_000_000);
    assert_eq!(wait(&mut limited, &ended), Standing::Paused);
    drop(limited);
    assert_eq!(ended.recv_timeout(Duration::from_secs(30)), Ok(()), "dropped, it returns");
}

/// Counts what is told, and how often.
#[derive(Default)]
struct Counted(std::sync::Mutex<Vec<(i64, Source)>>, std::sync::Mutex<Vec<Status>>);

impl hysteron_solve::Observer for Counted {
    fn improved(&self, improvement: &hysteron_solve::Improvement) {
        self.0.lock().expect("nobody panics").push((improvement.energy, improvement.source));
    }
    fn answered(&self, answer: &hysteron_solve::Answer) {
        self.1.lock().expect("nobody panics").push(answer.status);
    }
}

/// `cnf` with so many variables and structured clauses besides that it is too large for the caller's thread.
fn padded(cnf: &Cnf) -> Cnf {
    const CLAUSES: u32 = 110_000;
    let mut clauses = cnf.clauses.clone();
    for v in cnf.variables..cnf.variables + CLAUSES {
        clauses.push(&[Literal::new(v, false), Literal::new(v + 1, true), Literal::new(v + 2, v % 2 == 0)]);
    }
    Cnf { variables: cnf.variables + CLAUSES + 2, clauses }
}

#[test]
fn one_thread_takes_turns_until_clause_learning_has_decided() {
    let told = Counted::default();
    let problem = Problem::Cnf(pigeons(8));
    let answer = solve(&problem, &options(1, 1), &told, &AtomicBool::new(false));
    assert_eq!((answer.status, answer.assignment), (Status::Unsatisfiable, None));
    assert_eq!(*told.1.lock().expect("nobody panics"), [Status::Unsatisfiable]);
    for holes in [3, 7] {
        let problem = Problem::Cnf(padded(&pigeons(holes)));
        assert_eq!(
            solve(&problem, &options(1, 1), &(), &AtomicBool::new(false)).status,
            Status::Unsatisfiable
        );
    }
    let mut one = ClauseList::new();
    one.push(&[Literal::new(0, true)]);
    let satisfiable = padded(&Cnf { variables: 3, clauses: one });
    for threads in [1, 2] {
        let told = Counted::default();
        let problem = Problem::Cnf(satisfiable.clone());
        let answer = solve(&problem, &options(threads, 1), &told, &AtomicBool::new(false));
        assert_eq!(answer.status, Status::Satisfiable, "{threads} threads");
        assert_eq!(answer.assignment.map(|a| satisfiable.unsatisfied(&a)), Some(0), "{threads} threads");
        assert_eq!(*told.1.lock().expect("nobody panics"), [Status::Satisfiable], "{threads} threads");
    }
}

#[test]
fn turns_of_one_thread_repeat_with_a_step_limit() {
    let steps = Options { time: None, steps: Some(200_000), ..options(1, 5) };
    for cnf in [pigeons(13), padded(&pigeons(13))] {
        let steps =
            Options { steps: Some(if cnf.variables > 1000 { 2000 } else { 200_000 }), ..steps.clone() };
        let run = || solve(&Problem::Cnf(cnf.clone()), &steps, &(), &AtomicBool::new(false));
        let (first, second) = (run(), run());
        assert!(first.ecu > 0, "chips had a turn");
        assert_eq!((first.status, first.ecu), (second.status, second.ecu));
        assert_eq!(first.assignment, second.assignment);
    }
}

#[test]
fn what_clause_learning_decides_at_once_is_told_once() {
    let mut chain = ClauseList::new();
    for v in 1..50 {
        chain.push(&[Literal::new(v - 1, v % 2 == 0), Literal::new(v, v % 3 == 0)]);
    }
    let cnf = Cnf { variables: 50, clauses: chain };
    for threads in [1, 2] {
        let told = Counted::default();
        let answer = solve(&Problem::Cnf(cnf.clone()), &options(threads, 1), &told, &AtomicBool::new(false));
        // On a loaded machine the second thread may come first.
        let sources = if threads == 1 { &[Source::Cdcl][..] } else { &[Source::Cdcl, Source::Presolve] };
        assert_eq!((answer.status, answer.ecu), (Status::Satisfiable, 0));
        assert!(sources.contains(&answer.source), "{:?}", answer.source);
        assert_eq!(answer.assignment.map(|a| cnf.unsatisfied(&a)), Some(0));
        let told = told.0.lock().expect("nobody panics");
        assert_eq!(told.len(), 1);
        assert!(told[0].0 == 0 && sources.contains(&told[0].1), "{:?}", told[0]);
    }
}

#[test]
fn what_clause_learning_does_not_decide_at_once_is_searched_by_all() {
    // Chips satisfy all but one clause of this within a second; clause learning alone says nothing before it has refuted it.
    for threads in [1, 2] {
        let limited = Options { time: Some(Duration::from_secs(1)), ..options(threads, 1) };
        let answer = solve(&Problem::Cnf(pigeons(13)), &limited, &(), &AtomicBool::new(false));
        assert!(answer.ecu > 0, "{threads} threads: nobody but clause learning worked");
        assert_eq!(answer.assignment.map(|a| pigeons(13).unsatisfied(&a)), Some(1), "{threads} threads");
    }
}
