//! Problems: upload before a job, download by workers and other nodes' customers.

use axum::Json;
use axum::body::Bytes;
use axum::extract::Path;
use axum::response::Response;
use hysteron_api::{Atoms, Hex32, Refusal, types as api};
use hysteron_ledger::{LedgerError, decode_problem};
use hysteron_problem::Problem;
use hysteron_work::{ProblemId, WorkRules, normalisation_check};

use super::State;
use super::extract::{borsh_bytes, hash};
use super::refuse::{Answer, Refused};

/// Bytes of an opening transaction, at most: it has no variable part.
const OPENING_BYTES: u64 = 400;

/// Uploads a problem (canonical borsh): it is checked as the chain would, and kept for the transaction that opens a job
#[utoipa::path(post, path = "/v1/problems", tag = "jobs",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = api::ProblemReport), (status = 400, body = Refusal), (status = 413, body = Refusal), (status = 422, body = Refusal)))]
pub(crate) async fn upload(shared: State, body: Bytes) -> Answer<Json<api::ProblemReport>> {
    let bytes = body.to_vec();
    let rules = shared.genesis.work.clone();
    let checked = tokio::task::spawn_blocking(move || check(&bytes, &rules).map(|report| (report, bytes)));
    let (mut report, bytes) = checked
        .await
        .map_err(|e| Refused::bad(format!("The problem could not be checked: {e}."), "Try again."))??;
    let id = ProblemId(report.id.0);
    report.is_on_chain = shared.chain.ask(move |writer| writer.chain.state().problem(&id).is_some()).await?;
    let fees = &shared.genesis.fees;
    let data = if report.is_on_chain { 0 } else { report.bytes };
    report.fee = Atoms(
        (OPENING_BYTES + data)
            .saturating_mul(fees.atoms_per_byte)
            .saturating_add(fees.atoms_per_signature)
            .saturating_add(fees.atoms_per_score.saturating_mul(data.div_ceil(1024))),
    );
    shared.uploads.put(id, bytes);
    Ok(Json(report))
}

fn refused(refusal: &hysteron_work::Refusal) -> Refused {
    Refused::against(
        "problem-refused",
        "The network does not take the problem",
        refusal.to_string(),
        "hysteron job open normalises a file before it sends it; larger problems can be solved with hysteron solve.",
    )
}

fn check(bytes: &[u8], rules: &WorkRules) -> Answer<api::ProblemReport> {
    let problem = decode_problem(bytes, rules).map_err(|error| match error {
        LedgerError::ProblemRefused(refusal) => refused(&refusal),
        error => {
            Refused::bad(error.to_string(), "Send the canonical borsh of one problem, as the command does.")
        }
    })?;
    let class = normalisation_check(&problem, rules).map_err(|refusal| refused(&refusal))?;
    let elements = match &problem {
        Problem::Cnf(cnf) => cnf.clauses.literals().len() as u64,
        Problem::Wcnf(wcnf) => (wcnf.hard.literals().len() + wcnf.soft.literals().len()) as u64,
        Problem::Ising(ising) => ising.couplings.len() as u64,
    };
    Ok(api::ProblemReport {
        id: Hex32(problem.content_id()),
        class: class.name().into(),
        bytes: bytes.len() as u64,
        variables: problem.variables(),
        elements,
        is_on_chain: false,
        fee: Atoms(0),
    })
}

/// A problem's canonical borsh by content id
#[utoipa::path(get, path = "/v1/problems/{id}", tag = "jobs", params(("id" = String, Path, description = "The content id")),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>), (status = 404, body = Refusal)))]
pub(crate) async fn download(shared: State, Path(id): Path<String>) -> Answer<Response> {
    let id = ProblemId(hash(&id)?);
    if let Some(bytes) = shared.chain.archive().problem_bytes(&id)? {
        return Ok(borsh_bytes(bytes));
    }
    match shared.uploads.get(&id) {
        Some(bytes) => Ok(borsh_bytes(bytes.to_vec())),
        None => Err(Refused::not_found(
            format!("The data of problem {id} are not here."),
            "If its job was opened a moment ago, wait for the next block.",
        )),
    }
}
