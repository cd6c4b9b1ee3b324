//! Headers and blocks.

use axum::Json;
use axum::extract::Path;
use axum::response::Response;
use hysteron_api::{Atoms, Hex32, Refusal, types as api};
use hysteron_chain::Block;
use hysteron_ledger::Event;
use hysteron_work::Hash;

use super::extract::{Asked, borsh_bytes, count, hash};
use super::refuse::{Answer, Refused};
use super::{Shared, State};
use crate::convert::{Place, confirmations};

/// The hash that a path names, by height or hash.
fn find(shared: &Shared, id: &str) -> Answer<Hash> {
    let Ok(height) = id.parse::<u64>() else {
        return hash(id);
    };
    shared.chain.archive().canonical(height)?.ok_or_else(|| {
        let tip = shared.chain.standing().tip.height;
        Refused::not_found(
            format!("The chain has {tip} blocks; there is no block {height} yet."),
            "Ask for a lower height.",
        )
    })
}

/// The tip's height if the block is on the best chain.
pub(crate) fn tip_if_canonical(shared: &Shared, height: u64, hash: &Hash) -> Answer<Option<u64>> {
    let is_canonical = shared.chain.archive().canonical(height)? == Some(*hash);
    Ok(is_canonical.then(|| shared.chain.standing().tip.height))
}

fn header_at(shared: &Shared, height: u64, tip: u64) -> Answer<Option<api::Header>> {
    let archive = shared.chain.archive();
    let Some(hash) = archive.canonical(height)? else { return Ok(None) };
    let header = archive.header(&hash)?;
    Ok(header.map(|header| shared.convert.header(&header, &hash, Some(tip))))
}

/// Headers of the best chain, in order of height
#[utoipa::path(get, path = "/v1/headers", tag = "chain", params(api::HeaderQuery),
    responses((status = 200, body = api::HeaderList), (status = 400, body = Refusal)))]
pub(crate) async fn headers(
    shared: State,
    Asked(query): Asked<api::HeaderQuery>,
) -> Answer<Json<api::HeaderList>> {
    let count = count(query.count)? as u64;
    let tip = shared.chain.standing().tip.height;
    let from = query.from.unwrap_or((tip + 1).saturating_sub(count));
    let mut headers = Vec::new();
    for height in from..from.saturating_add(count) {
        let Some(header) = header_at(&shared, height, tip)? else { break };
        headers.push(header);
    }
    Ok(Json(api::HeaderList { headers }))
}

/// Headers of the best chain's blocks, newest first
#[utoipa::path(get, path = "/v1/blocks", tag = "chain", params(api::BlockQuery),
    responses((status = 200, body = api::BlockList), (status = 400, body = Refusal)))]
pub(crate) async fn list(
    shared: State,
    Asked(query): Asked<api::BlockQuery>,
) -> Answer<Json<api::BlockList>> {
    let count = count(query.count)?;
    let tip = shared.chain.standing().tip.height;
    let end = query.before.unwrap_or(u64::MAX).min(tip + 1);
    let mut blocks = Vec::new();
    for height in (0..end).rev().take(count) {
        blocks.extend(header_at(&shared, height, tip)?);
    }
    let next = blocks.last().map(|header: &api::Header| header.height).filter(|&height| height > 0);
    Ok(Json(api::BlockList { blocks, next }))
}

fn load(shared: &Shared, id: &str) -> Answer<(Hash, Block)> {
    let hash = find(shared, id)?;
    let block = shared.chain.archive().block(&hash)?;
    let missing =
        || Refused::not_found(format!("There is no block {}.", Hex32(hash)), "Ask for one by its height.");
    Ok((hash, block.ok_or_else(missing)?))
}

/// A block by height or hash
#[utoipa::path(get, path = "/v1/blocks/{id}", tag = "chain", params(("id" = String, Path, description = "Height or hash")),
    responses((status = 200, body = api::Block), (status = 400, body = Refusal), (status = 404, body = Refusal)))]
pub(crate) async fn one(shared: State, Path(id): Path<String>) -> Answer<Json<api::Block>> {
    let (hash, block) = load(&shared, &id)?;
    let height = block.header.height;
    let tip = tip_if_canonical(&shared, height, &hash)?;
    let place = |position: usize| {
        tip.map(|tip| Place {
            block: hash,
            height,
            position: position as u32,
            confirmations: confirmations(height, tip),
        })
    };
    let transactions = block.transactions.iter().enumerate();
    let transactions = transactions.map(|(i, signed)| shared.convert.transaction(signed, place(i))).collect();
    let reward = shared.chain.archive().events(&hash)?.iter().find_map(|event| match event {
        Event::Mined { issued, fees, pot, .. } => {
            Some(Atoms(issued.saturating_add(*fees).saturating_add(*pot)))
        }
        _ => None,
    });
    let problems = block.problems.iter().map(|p| Hex32(hysteron_chain::archive::problem_id(p).0)).collect();
    Ok(Json(api::Block {
        header: shared.convert.header(&block.header, &hash, tip),
        transactions,
        problems,
        bytes: block.encode().len() as u64,
        reward,
    }))
}

/// A block's borsh by height or hash
#[utoipa::path(get, path = "/v1/blocks/{id}/raw", tag = "chain", params(("id" = String, Path, description = "Height or hash")),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>), (status = 404, body = Refusal)))]
pub(crate) async fn raw(shared: State, Path(id): Path<String>) -> Answer<Response> {
    Ok(borsh_bytes(load(&shared, &id)?.1.encode()))
}
