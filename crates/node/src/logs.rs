//! Structured logs on standard error.

use tracing_subscriber::EnvFilter;

use crate::NodeError;
use crate::config::Logs;

/// Installs the process's subscriber. The first call wins; tests and embedding programs may have theirs.
///
/// # Errors
/// [`NodeError::Setting`] if the filter is none.
pub fn install(logs: &Logs) -> Result<(), NodeError> {
    let filter = EnvFilter::try_new(&logs.filter)
        .map_err(|e| NodeError::Setting { name: "logs.filter", reason: e.to_string() })?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let installed = if logs.json { builder.json().try_init() } else { builder.try_init() };
    if installed.is_err() {
        tracing::debug!("logs go where an earlier subscriber sends them");
    }
    Ok(())
}
