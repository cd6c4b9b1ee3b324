//! What the commands of the network share: which node, which keys, and what is remembered of jobs.

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context as _, Result, bail};
use hysteron_client::{Connection, Failure, devnet_account};
use hysteron_wallet::Key;

/// Where a node is looked for when nothing is said.
const NODE_DEFAULT: &str = "http://127.0.0.1:7341";
/// The environment's name of the node.
const NODE_VARIABLE: &str = "HYSTERON_NODE";
/// The environment's name of the directory with the wallet and the list of jobs.
const HOME_VARIABLE: &str = "HYSTERON_HOME";
/// The environment's name of the wallet's password.
const PASSWORD_VARIABLE: &str = "HYSTERON_PASSWORD";
/// The network whose accounts everybody knows.
pub const DEVNET: &str = "hysteron-devnet";
/// The main network.
pub const MAIN: &str = "hysteron-main";
/// What a wallet is called in that directory.
const WALLET_FILE: &str = "wallet.age";
/// The most bytes of a password, or of a line that is typed.
const LINE_BYTES_MAX: u64 = 4096;

/// Which node to talk to.
#[derive(clap::Args, Clone, Debug)]
pub struct NodeArguments {
    /// The node's URL; $HYSTERON_NODE or http://127.0.0.1:7341 unless given.
    #[arg(long, value_name = "URL")]
    pub node: Option<String>,
}

impl NodeArguments {
    /// The node's URL.
    pub fn url(&self) -> String {
        let from_environment = || std::env::var(NODE_VARIABLE).ok().filter(|url| !url.is_empty());
        self.node.clone().or_else(from_environment).unwrap_or_else(|| NODE_DEFAULT.to_owned())
    }
    /// Asks the node for its network.
    pub fn connect(&self) -> Result<Connection> {
        let url = self.url();
        Connection::open(&url).map_err(|failure| match failure {
            Failure::Node(error) if error.is_temporary() => anyhow::Error::new(error).context(format!(
                "no node at {url}; start one with `hysteron devnet` or `hysteron node`, or name one with --node URL"
            )),
            other => other.into(),
        })
    }
}

/// Which keys to use.
#[derive(clap::Args, Clone, Debug)]
pub struct WalletArguments {
    /// The wallet's file; $HYSTERON_HOME/wallet.age, or ~/.hysteron/wallet.age, unless given. On a devnet also devnet:NAME, for its public
    /// accounts customer, miner, alice and bob.
    #[arg(long, value_name = "FILE")]
    pub wallet: Option<String>,
    /// Read the wallet's password from the first line of this file; else from $HYSTERON_PASSWORD, else it is asked for.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

impl WalletArguments {
    /// The wallet's path.
    pub fn path(&self) -> Result<PathBuf> {
        match &self.wallet {
            Some(name) if name.starts_with("devnet:") => {
                bail!("{name} is an account that everybody knows, not a file; name a wallet's file")
            }
            Some(path) => Ok(path.into()),
            None => Ok(home()?.join(WALLET_FILE)),
        }
    }

    /// The public name of a devnet's account, if that is what was given.
    fn devnet_name(&self) -> Option<&str> {
        self.wallet.as_deref().and_then(|wallet| wallet.strip_prefix("devnet:"))
    }

    /// The wallet, unlocked.
    fn load(&self) -> Result<hysteron_wallet::Wallet> {
        let path = self.path()?;
        if !path.exists() {
            bail!(
                "there is no wallet at {}; make one with `hysteron wallet create`, or name its file with --wallet",
                path.display()
            );
        }
        hysteron_wallet::file::load(&path, &self.password(false)?).with_context(|| path.display().to_string())
    }

    /// The keys, and the name of their network.
    pub fn open(&self) -> Result<(Key, String)> {
        if let Some(name) = self.devnet_name() {
            return Ok((devnet_account(name)?, DEVNET.to_owned()));
        }
        let wallet = self.load()?;
        let key = wallet.key(0).context("the wallet has no account")?;
        Ok((key, wallet.network().to_owned()))
    }

    /// The keys, for the network that the node is on: those of another network never sign here.
    pub fn open_on(&self, connection: &Connection) -> Result<Key> {
        let (key, network) = self.open()?;
        let found = &connection.genesis.network;
        if network != *found {
            bail!(
                "the wallet is for {network}, and the node is on {found}; use a wallet or a node of the other kind"
            );
        }
        Ok(key)
    }

    /// The password; typed twice where a new one is chosen.
    pub fn password(&self, is_new: bool) -> Result<String> {
        if let Some(path) = &self.password_file {
            let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
            let line = text.lines().next().unwrap_or_default().to_owned();
            if line.is_empty() {
                bail!("{}: the first line is empty; put the password there", path.display());
            }
            return Ok(line);
        }
        if let Ok(password) = std::env::var(PASSWORD_VARIABLE)
            && !password.is_empty()
        {
            return Ok(password);
        }
        if !std::io::stdin().is_terminal() {
            bail!("the wallet's password is needed; set ${PASSWORD_VARIABLE}, or name a --password-file");
        }
        let password =
            rpassword::prompt_password("Password of the wallet: ").context("no password was typed")?;
        if password.is_empty() {
            bail!("the password is empty; choose one");
        }
        if is_new
            && rpassword::prompt_password("The same again: ").context("no password was typed")? != password
        {
            bail!("the two passwords differ; nothing was written");
        }
        Ok(password)
    }
}

/// The directory with the wallet and the list of jobs.
pub fn home() -> Result<PathBuf> {
    if let Some(home) = std::env::var_os(HOME_VARIABLE).filter(|home| !home.is_empty()) {
        return Ok(home.into());
    }
    let user = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
    let user = user.with_context(|| format!("the home directory is not known; set ${HOME_VARIABLE}"))?;
    Ok(user.join(".hysteron"))
}

/// Asks, unless the answer was given beforehand. Without a terminal nobody can say yes.
pub fn confirm(question: &str, yes: bool) -> Result<bool> {
    if yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        bail!("nobody is there to answer \"{question}\"; repeat the command with --yes. Nothing was sent");
    }
    eprint!("{question} [y/N] ");
    std::io::stderr().flush()?;
    let mut line = String::new();
    std::io::Read::take(std::io::stdin().lock(), LINE_BYTES_MAX).read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes" | "Yes"))
}

/// Set when the user presses Ctrl-C or the process is asked to end; the second time it ends at once.
pub fn interrupt() -> Result<Arc<AtomicBool>> {
    use signal_hook::{consts, flag};
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [consts::SIGINT, consts::SIGTERM, consts::SIGHUP] {
        // In this order: the first looks at the flag that the second sets.
        flag::register_conditional_shutdown(signal, 130, Arc::clone(&stop))
            .and_then(|_| flag::register(signal, Arc::clone(&stop)))
            .context("could not watch for Ctrl-C")?;
    }
    Ok(stop)
}

/// A whole positive number that may be written with underscores or commas in between.
pub fn parse_count(text: &str) -> Result<u64, String> {
    let digits: String = text.chars().filter(|c| !matches!(c, '_' | ',')).collect();
    digits
        .parse()
        .ok()
        .filter(|&count| count > 0)
        .ok_or_else(|| format!("'{text}' is no whole number above 0"))
}

/// An amount of HYS, in atoms.
pub fn parse_amount(text: &str) -> Result<u64, String> {
    hysteron_ledger::parse_hys(text).map_err(|error| error.to_string())
}

/// A job's or transaction's id.
pub fn parse_id(text: &str) -> Result<hysteron_api::Hex32, String> {
    text.parse().map_err(|error: hysteron_api::ParseError| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        assert_eq!(parse_count("1_000"), Ok(1000));
        for bad in ["", "0", "-1", "1.5", "many"] {
            assert!(parse_count(bad).is_err(), "{bad}");
        }
    }
}
