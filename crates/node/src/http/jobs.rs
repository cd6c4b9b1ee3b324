//! Prices, jobs, receipts, the schedule.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use hysteron_api::{Atoms, Hex32, HexBytes, Refusal, types as api};
use hysteron_ledger::Receipt;
use hysteron_work::JobId;

use super::State;
use super::extract::{Asked, address, count, hash};
use super::refuse::{Answer, Refused};

/// Events of a job that one answer gives.
const EVENTS_MAX: usize = 10_000;
/// Jobs that one question to the chain looks through for a page.
const LOOKED_THROUGH_MAX: usize = 10_000;
/// Millionths of a cent in a thousandth of a cent.
const MICROCENTS_PER_MILLICENT: u128 = 1000;

fn no_such_job(id: JobId) -> Refused {
    Refused::not_found(
        format!("There is no job {id}."),
        "If it was opened a moment ago, wait until its transaction is in a block.",
    )
}

/// The price of a booking now
#[utoipa::path(get, path = "/v1/quote", tag = "jobs", params(api::QuoteQuery),
    responses((status = 200, body = api::Quote), (status = 400, body = Refusal), (status = 422, body = Refusal)))]
pub(crate) async fn quote(shared: State, Asked(query): Asked<api::QuoteQuery>) -> Answer<Json<api::Quote>> {
    let api::QuoteQuery { chips, blocks, bounty_per_mille } = query;
    let bounty_per_mille = bounty_per_mille.unwrap_or(0);
    let answer = shared.chain.ask(move |writer| {
        let state = writer.chain.state();
        let quote = state.quote(chips, blocks, bounty_per_mille)?;
        let table = state.table();
        let booked = u64::try_from(table.booked_chips()).unwrap_or(u64::MAX);
        Ok::<_, hysteron_ledger::LedgerError>((quote, state.oracle().rate, booked, table.capacity_chips))
    });
    let (quote, rate, booked_chips, capacity_chips) = answer.await?.map_err(|error| {
        let mend = "Name 1 to 2^32 chips and 1 to 2^18 blocks; if the price is stale, wait for the oracle.";
        Refused::against("quote-refused", "There is no price for this", error.to_string(), mend)
    })?;
    Ok(Json(api::Quote {
        chips,
        blocks,
        chip_blocks: chips.saturating_mul(blocks.into()),
        price_millicents: u64::try_from(quote.microcents.div_ceil(MICROCENTS_PER_MILLICENT))
            .unwrap_or(u64::MAX),
        price: Atoms(quote.block_fee),
        bounty: Atoms(quote.bounty),
        escrow: Atoms(quote.total),
        microcents_per_hys: rate,
        quoted_at: quote.quoted_at,
        valid_until: quote.holds_until,
        booked_chips,
        capacity_chips,
    }))
}

fn state_of(text: &str) -> Answer<api::JobState> {
    serde_json::from_value(serde_json::Value::String(text.into())).map_err(|_| {
        let detail = format!("\"{}\" is no state of a job.", text.chars().take(40).collect::<String>());
        Refused::bad(
            detail,
            "States are held, waiting, running, solved, exhausted, cancelled, refused, starved, settled.",
        )
    })
}

/// Jobs in the order of their ids
#[utoipa::path(get, path = "/v1/jobs", tag = "jobs", params(api::JobQuery),
    responses((status = 200, body = api::JobList), (status = 400, body = Refusal)))]
pub(crate) async fn list(shared: State, Asked(query): Asked<api::JobQuery>) -> Answer<Json<api::JobList>> {
    let count = count(query.count)?;
    let wanted_state = query.state.as_deref().map(state_of).transpose()?;
    let owner = query.owner.as_deref().map(|text| address(&shared, text)).transpose()?;
    let after = query.after.map(|id| JobId(id.0));
    let convert = shared.convert.clone();
    let page = shared.chain.ask(move |writer| {
        let mut jobs = Vec::new();
        let mut next = None;
        let all = writer.chain.state().jobs();
        for (looked, (id, job)) in
            all.skip_while(|(id, _)| after.is_some_and(|after| *id <= after)).enumerate()
        {
            if jobs.len() == count || looked == LOOKED_THROUGH_MAX {
                return api::JobList { jobs, next };
            }
            next = Some(Hex32(id.0));
            if owner.is_none_or(|owner| owner == job.owner) {
                let job = convert.job(&id, &job);
                jobs.extend(wanted_state.is_none_or(|state| state == job.state).then_some(job));
            }
        }
        api::JobList { jobs, next: None }
    });
    Ok(Json(page.await?))
}

/// A job
#[utoipa::path(get, path = "/v1/jobs/{id}", tag = "jobs", params(("id" = String, Path, description = "The job")),
    responses((status = 200, body = api::Job), (status = 400, body = Refusal), (status = 404, body = Refusal)))]
pub(crate) async fn one(shared: State, Path(id): Path<String>) -> Answer<Json<api::Job>> {
    let id = JobId(hash(&id)?);
    let job = shared.chain.ask(move |writer| writer.chain.state().job(&id)).await?;
    let job = job.ok_or_else(|| no_such_job(id))?;
    Ok(Json(shared.convert.job(&id, &job)))
}

/// A job's best assignment so far
#[utoipa::path(get, path = "/v1/jobs/{id}/assignment", tag = "jobs", params(("id" = String, Path, description = "The job")),
    responses((status = 200, body = api::JobAssignment), (status = 400, body = Refusal), (status = 404, body = Refusal)))]
pub(crate) async fn assignment(shared: State, Path(id): Path<String>) -> Answer<Json<api::JobAssignment>> {
    let id = JobId(hash(&id)?);
    let answer = shared.chain.ask(move |writer| {
        let state = writer.chain.state();
        (state.job(&id), state.best_assignment(&id), writer.chain.tip().height)
    });
    let (job, assignment, height) = answer.await?;
    let job = job.ok_or_else(|| no_such_job(id))?;
    let (Some(best), Some(assignment)) = (job.best, assignment) else {
        let mend = "Wait; listen to /v1/events for its progress.";
        return Err(Refused::not_found(format!("Job {id} has no assignment yet."), mend));
    };
    Ok(Json(api::JobAssignment {
        job: Hex32(id.0),
        problem: Hex32(job.problem.0),
        hard_unsatisfied: best.score.hard_unsatisfied,
        energy: best.score.energy,
        variables: assignment.variables(),
        assignment: HexBytes(assignment.bytes().to_vec()),
        height,
    }))
}

/// What happened to a job, oldest first
#[utoipa::path(get, path = "/v1/jobs/{id}/events", tag = "jobs", params(("id" = String, Path, description = "The job")),
    responses((status = 200, body = Vec<api::JobEvent>), (status = 400, body = Refusal), (status = 404, body = Refusal)))]
pub(crate) async fn events(shared: State, Path(id): Path<String>) -> Answer<Json<Vec<api::JobEvent>>> {
    let id = JobId(hash(&id)?);
    let events = shared.history.job(&id, EVENTS_MAX)?;
    if events.is_empty() {
        return Err(no_such_job(id));
    }
    Ok(Json(events))
}

/// A job's receipt, provable against the best chain's last block
#[utoipa::path(get, path = "/v1/jobs/{id}/receipt", tag = "jobs", params(("id" = String, Path, description = "The job")),
    responses((status = 200, body = api::Receipt), (status = 400, body = Refusal), (status = 404, body = Refusal)))]
pub(crate) async fn receipt(shared: State, Path(id): Path<String>) -> Answer<Json<api::Receipt>> {
    let id = JobId(hash(&id)?);
    let answer = shared.chain.ask(move |writer| {
        let tip = writer.chain.tip().clone();
        let header = writer.chain.archive().header(&tip.hash)?;
        let headers = header.iter().map(|header| header.encode()).collect();
        Ok::<_, hysteron_chain::StorageError>((Receipt::new(writer.chain.state(), id, headers), tip))
    });
    let (receipt, tip) = answer.await??;
    let receipt = receipt.ok_or_else(|| no_such_job(id))?;
    Ok(Json(api::Receipt {
        job: Hex32(id.0),
        block: Hex32(tip.hash),
        height: tip.height,
        receipt: HexBytes(receipt.encode()),
    }))
}

/// What seeds draw from after the best chain's last block
#[utoipa::path(get, path = "/v1/schedule", tag = "jobs",
    responses((status = 200, body = api::Schedule), (status = 503, body = Refusal)))]
pub(crate) async fn schedule(shared: State) -> Answer<Json<api::Schedule>> {
    let (table, height) =
        shared.chain.ask(|writer| (writer.chain.state().table(), writer.chain.tip().height)).await?;
    let drawn = table.drawn_chips();
    let bytes = borsh::to_vec(&table).map_err(|error| {
        let title = "The node has a problem of its own";
        Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", title, error.to_string(), "Report it.")
    })?;
    let entries = table.entries.iter().map(|entry| api::ScheduleEntry {
        job: Hex32(entry.job.0),
        problem: Hex32(entry.problem.0),
        class: entry.class.name().into(),
        chips: entry.chips,
        share_ppm: u64::try_from(u128::from(entry.chips) * 1_000_000 / drawn).unwrap_or(u64::MAX),
    });
    Ok(Json(api::Schedule {
        height,
        capacity_chips: table.capacity_chips,
        booked_chips: u64::try_from(table.booked_chips()).unwrap_or(u64::MAX),
        table: Hex32(hysteron_api::worker::Work::table_id(&bytes)),
        entries: entries.collect(),
    }))
}
