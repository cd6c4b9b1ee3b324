//! The configuration: a TOML file, and flags that override it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use hysteron_ledger::Genesis;
use serde::{Deserialize, Serialize};

use crate::NodeError;
use crate::limits::CONFIG_BYTES_MAX;

/// The name of the configuration in the data directory.
pub const CONFIG_FILE: &str = "node.toml";

/// What an operator chooses. Every field has a default, so a file need only say what differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where everything is kept.
    pub data: PathBuf,
    /// `devnet`, or the path of a genesis (borsh).
    pub network: String,
    /// The HTTP API.
    pub http: Http,
    /// Workers.
    pub workers: Workers,
    /// Mining inside the node.
    pub mining: Mining,
    /// Peers.
    pub peers: hysteron_net::Config,
    /// Logs.
    pub logs: Logs,
}

/// The HTTP API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// The address; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Requests a second that one address may make, after a burst of ten times as many.
    pub requests_per_second: u32,
    /// Whether pages of other origins may read the API in a browser.
    pub cross_origin: bool,
}

/// Workers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Workers {
    /// The plain TCP port; without it workers use the WebSocket at `/v1/worker` only.
    pub listen: Option<SocketAddr>,
    /// The most workers at a time.
    pub connections_max: u32,
}

/// Mining inside the node.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mining {
    /// Threads; 0 for none.
    pub threads: u32,
    /// Who earns; without it the node's own account, whose key is in the data directory.
    pub address: Option<String>,
}

/// Logs, to standard error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Logs {
    /// What is logged: `info`, `hysteron_node=debug,warn`, …
    pub filter: String,
    /// One JSON object a line.
    pub json: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("hysteron-data"),
            network: "devnet".into(),
            http: Http::default(),
            workers: Workers::default(),
            mining: Mining::default(),
            peers: hysteron_net::Config::default(),
            logs: Logs::default(),
        }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7341)),
            requests_per_second: 200,
            cross_origin: false,
        }
    }
}

impl Default for Workers {
    fn default() -> Self {
        Self { listen: None, connections_max: 4096 }
    }
}

impl Default for Logs {
    fn default() -> Self {
        Self { filter: "info".into(), json: false }
    }
}

/// Flags that override the file; the command's `node` takes them as they are.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Flags {
    /// Read this configuration (default: node.toml in the data directory, if it is there)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Keep everything in this directory
    #[arg(long, value_name = "DIRECTORY")]
    pub data: Option<PathBuf>,
    /// The network: devnet, or the path of a genesis
    #[arg(long, value_name = "NAME|FILE")]
    pub network: Option<String>,
    /// Serve the HTTP API at this address
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub http: Option<SocketAddr>,
    /// Serve workers over plain TCP at this address
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub workers: Option<SocketAddr>,
    /// Listen for peers at this multiaddress; repeat it for several
    #[arg(long, value_name = "MULTIADDRESS")]
    pub listen: Vec<hysteron_net::Multiaddr>,
    /// Begin with this peer; its multiaddress ends with /p2p/PEER; repeat it for several
    #[arg(long, value_name = "MULTIADDRESS")]
    pub seed: Vec<hysteron_net::Multiaddr>,
    /// Mine inside the node with so many threads
    #[arg(long, value_name = "THREADS")]
    pub mine: Option<u32>,
    /// Mine for this address
    #[arg(long, value_name = "ADDRESS")]
    pub address: Option<String>,
    /// Log one JSON object a line
    #[arg(long)]
    pub log_json: bool,
    /// What to log: info, debug, hysteron_node=debug,warn, …
    #[arg(long, value_name = "FILTER")]
    pub log: Option<String>,
}

impl Config {
    /// For tests and one-machine networks: system-chosen ports on the loopback address, nobody looked for.
    pub fn loopback(data: &Path) -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            data: data.to_owned(),
            http: Http { listen: any, requests_per_second: 100_000, ..Http::default() },
            workers: Workers { listen: Some(any), ..Workers::default() },
            peers: hysteron_net::Config::loopback(),
            ..Self::default()
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`NodeError::Config`] with the line that is wrong.
    pub fn read(path: &Path) -> Result<Self, NodeError> {
        let refuse = |reason: String| NodeError::Config { path: path.to_owned(), reason };
        let length = std::fs::metadata(path).map_err(|e| refuse(e.to_string()))?.len();
        if length > CONFIG_BYTES_MAX {
            return Err(refuse(format!("it has {length} bytes; at most {CONFIG_BYTES_MAX} are read")));
        }
        let text = std::fs::read_to_string(path).map_err(|e| refuse(e.to_string()))?;
        toml::from_str(&text).map_err(|e| refuse(e.to_string().trim_end().to_owned()))
    }

    /// The file that the flags name (or the data directory's own, if there is one), overridden by the flags.
    ///
    /// # Errors
    /// [`NodeError::Config`].
    pub fn from_flags(flags: Flags) -> Result<Self, NodeError> {
        let beside = flags.data.clone().unwrap_or_else(|| Self::default().data).join(CONFIG_FILE);
        let mut config = match &flags.config {
            Some(path) => Self::read(path)?,
            None if beside.exists() => Self::read(&beside)?,
            None => Self::default(),
        };
        let Flags { config: _, data, network, http, workers, listen, seed, mine, address, log_json, log } =
            flags;
        set(&mut config.data, data);
        set(&mut config.network, network);
        set(&mut config.http.listen, http);
        config.workers.listen = workers.or(config.workers.listen);
        if !listen.is_empty() {
            config.peers.listen = listen;
        }
        config.peers.seeds.extend(seed);
        set(&mut config.mining.threads, mine);
        config.mining.address = address.or(config.mining.address);
        config.logs.json |= log_json;
        set(&mut config.logs.filter, log);
        Ok(config)
    }

    /// The genesis that [`Self::network`] names.
    ///
    /// # Errors
    /// [`NodeError::Setting`], [`NodeError::Genesis`].
    pub fn genesis(&self) -> Result<Genesis, NodeError> {
        if self.network == "devnet" {
            return Ok(Genesis::devnet());
        }
        let refuse = |reason: String| NodeError::Setting { name: "network", reason };
        let path = Path::new(&self.network);
        let length = std::fs::metadata(path)
            .map_err(|e| {
                refuse(format!("\"{}\" is neither devnet nor the path of a genesis ({e})", self.network))
            })?
            .len();
        if length > 16 * CONFIG_BYTES_MAX {
            return Err(refuse(format!("the genesis has {length} bytes, more than any has")));
        }
        let bytes = std::fs::read(path).map_err(|e| refuse(e.to_string()))?;
        Ok(Genesis::decode(&bytes)?)
    }
}

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_survive_the_file() {
        let config = Config::default();
        let text = toml::to_string(&config).expect("a configuration is TOML");
        assert_eq!(toml::from_str::<Config>(&text).expect("what was written is read"), config);
    }

    #[test]
    fn wrong_files_are_refused_with_the_line() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join(CONFIG_FILE);
        std::fs::write(&path, "[http]\nlisten = \"127.0.0.1:1\"\nlissen = 3\n").expect("a file");
        let error = Config::read(&path).expect_err("a wrong name").to_string();
        assert!(error.contains("line 3") && error.contains("lissen"), "{error}");
        assert!(Config::read(&directory.path().join("none.toml")).is_err());
    }

    #[test]
    fn flags_win_over_the_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join(CONFIG_FILE);
        std::fs::write(&path, "[mining]\nthreads = 3\naddress = \"hysd1x\"\n").expect("a file");
        let flags = Flags { data: Some(directory.path().to_owned()), mine: Some(5), ..Flags::default() };
        let config = Config::from_flags(flags).expect("a configuration");
        assert_eq!((config.mining.threads, config.mining.address.as_deref()), (5, Some("hysd1x")));
        assert_eq!(config.data, directory.path());
    }
}
