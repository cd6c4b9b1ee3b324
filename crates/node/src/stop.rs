//! The word that the node stops.

use tokio::sync::watch;

/// Hears it.
pub(crate) type Stop = watch::Receiver<bool>;

/// Waits until the node stops (or nobody is left who could say so).
pub(crate) async fn stopped(stop: &mut Stop) {
    // The answer holds a lock, which must not outlive this line.
    let _ = stop.wait_for(|stops| *stops).await;
}
