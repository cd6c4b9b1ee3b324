//! What handlers take from requests, refused in our own form: ids, addresses, pages.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use hysteron_api::Hex32;
use hysteron_api::limits::{PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX};
use hysteron_ledger::Address;
use serde::de::DeserializeOwned;

use super::Shared;
use super::refuse::{Answer, Refused};

/// The query, with our own refusal.
pub(crate) struct Asked<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Refused;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let mend = "The parameters of the route are listed in /v1/openapi.json.";
        let query = Query::<T>::try_from_uri(&parts.uri);
        query
            .map(|query| Self(query.0))
            .map_err(|error| Refused::bad(format!("{}.", error.body_text()), mend))
    }
}

/// A hash in a path.
pub(crate) fn hash(text: &str) -> Answer<[u8; 32]> {
    text.parse::<Hex32>()
        .map(|hash| hash.0)
        .map_err(|error| Refused::bad(error.to_string(), "Give the hash as 64 hexadecimal digits."))
}

/// An address of this network.
pub(crate) fn address(shared: &Shared, text: &str) -> Answer<Address> {
    Address::decode(&shared.genesis.address_prefix, text)
        .map_err(|error| Refused::bad(error.to_string(), "Copy the address again, all of it."))
}

/// The items of a page.
pub(crate) fn count(count: Option<u32>) -> Answer<usize> {
    let count = count.unwrap_or(PAGE_ITEMS_DEFAULT);
    if (1..=PAGE_ITEMS_MAX).contains(&count) {
        return Ok(count as usize);
    }
    let detail = format!("A page has 1 to {PAGE_ITEMS_MAX} items, not {count}.");
    Err(Refused::bad(detail, "Ask for the next page instead."))
}

/// Borsh of one thing.
pub(crate) fn borsh_bytes(bytes: Vec<u8>) -> axum::response::Response {
    let kind = [(axum::http::header::CONTENT_TYPE, "application/octet-stream")];
    axum::response::IntoResponse::into_response((kind, bytes))
}
