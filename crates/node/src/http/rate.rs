//! How many requests an address may make. Whoever asks faster is told to wait; memory has a bound.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::DefaultClock;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use super::Shared;
use super::refuse::Refused;
use crate::limits::{RATE_ADDRESSES_MAX, UPLOAD_UNITS};

type Limiter = RateLimiter<IpAddr, HashMapStateStore<IpAddr>, DefaultClock>;

/// Rates by address.
pub(crate) struct Rates {
    limiter: Limiter,
    burst: NonZeroU32,
}

impl Rates {
    /// `per_second` requests after a burst of ten times as many.
    pub(crate) fn new(per_second: u32) -> Self {
        let rate = NonZeroU32::new(per_second.max(1)).unwrap_or(NonZeroU32::MIN);
        let burst =
            NonZeroU32::new(per_second.saturating_mul(10).max(UPLOAD_UNITS)).unwrap_or(NonZeroU32::MIN);
        Self { limiter: RateLimiter::hashmap(Quota::per_second(rate).allow_burst(burst)), burst }
    }

    /// Takes further units for what a request asks for, as many as there can be at most.
    pub(super) fn charge(&self, address: IpAddr, units: u32) -> Result<(), Refused> {
        if self.allows(address, units.min(self.burst.get())) { Ok(()) } else { Err(too_many()) }
    }

    fn allows(&self, address: IpAddr, units: u32) -> bool {
        if self.limiter.len() >= RATE_ADDRESSES_MAX {
            // Those that are at rest lose nothing by being forgotten.
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
            if self.limiter.len() >= RATE_ADDRESSES_MAX {
                return false;
            }
        }
        let units = NonZeroU32::new(units).unwrap_or(NonZeroU32::MIN);
        matches!(self.limiter.check_key_n(&network_of(address), units), Ok(Ok(())))
    }
}

/// IPv6 customers have a /64 each, so that counts as one address.
fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address => address,
    }
}

/// The middleware.
pub(crate) async fn limit(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let address = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let units = if request.method() == Method::POST { UPLOAD_UNITS } else { 1 };
    if address.is_some_and(|address| !shared.rates.allows(address, units)) {
        return too_many().into_response();
    }
    next.run(request).await
}

fn too_many() -> Refused {
    Refused::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too-many-requests",
        "Too many requests",
        "Too many requests came from this address.".into(),
        "Wait a second; listen to /v1/events instead of asking again and again.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::LEG_UNITS;

    #[test]
    fn addresses_are_counted_apart() {
        let rates = Rates::new(1);
        let (first, second) = (IpAddr::from([1, 2, 3, 4]), IpAddr::from([1, 2, 3, 5]));
        assert!((0..10).all(|_| rates.allows(first, 1)));
        assert!(!rates.allows(first, 1));
        assert!(rates.allows(second, UPLOAD_UNITS));
        assert!(!rates.allows(second, UPLOAD_UNITS));
        assert!(rates.charge(second, LEG_UNITS).is_err(), "a part of it is spent");
        assert!(rates.charge(IpAddr::from([1, 2, 3, 6]), LEG_UNITS).is_ok(), "a burst is enough for one");
        let here: IpAddr = "2001:db8::1".parse().expect("an address");
        let there: IpAddr = "2001:db8::ffff:1".parse().expect("an address");
        assert_eq!(network_of(here), network_of(there));
    }
}
