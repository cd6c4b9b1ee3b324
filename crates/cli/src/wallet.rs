//! `hysteron wallet`: keys, balance, transfers.

use std::io::{Read, Write};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use hysteron_api::Atoms;
use hysteron_api::types::HistoryQuery;
use hysteron_ledger::format_hys;
use hysteron_wallet::file::{self, Existing};
use hysteron_wallet::{Wallet, Words};

use crate::genesis;
use crate::network::{DEVNET, MAIN, NodeArguments, WalletArguments, confirm, parse_amount};

/// The most bytes of words that are read.
const WORDS_BYTES_MAX: u64 = 4096;
/// How long a transfer is waited for, in blocks of the network.
const WAIT_BLOCKS: u64 = 60;

/// Arguments of `hysteron wallet`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Make new keys, and show the words that restore them.
    Create(Create),
    /// Make the keys of words that `wallet create` showed; they are read from standard input.
    Restore(Create),
    /// Print the wallet's address.
    Address(Address),
    /// Print what an account holds.
    Balance(Balance),
    /// Send coins.
    Send(Send),
    /// Print what happened to an account.
    History(History),
}

#[derive(clap::Args)]
struct Create {
    #[command(flatten)]
    wallet: WalletArguments,
    /// The network that the wallet is for: main, devnet, or the path of a genesis.
    #[arg(long, value_name = "NAME|FILE", default_value = "devnet")]
    network: String,
}

#[derive(clap::Args)]
struct Address {
    #[command(flatten)]
    wallet: WalletArguments,
    /// The path of the genesis of the wallet's network, if that is neither the main network nor a devnet: it says what addresses begin
    /// with. Without it they begin with hys1.
    #[arg(long, value_name = "FILE")]
    network: Option<String>,
    /// Print the public key instead: what committees are made of.
    #[arg(long)]
    public_key: bool,
}

/// What a wallet and its addresses need to know of a network.
struct Network {
    name: String,
    prefix: String,
}

impl Network {
    /// The network that a name or the path of a genesis stands for.
    fn named(text: &str) -> Result<Self> {
        if text == "main" {
            return Ok(Self::of_wallet(MAIN));
        }
        let genesis = genesis::read(text)?;
        Ok(Self { name: genesis.network, prefix: genesis.address_prefix })
    }
    /// The network of a wallet, which keeps only the name.
    fn of_wallet(name: &str) -> Self {
        Self { name: name.to_owned(), prefix: if name == DEVNET { "hysd" } else { "hys" }.to_owned() }
    }
}

#[derive(clap::Args)]
struct Balance {
    /// The account; the wallet's own unless given.
    address: Option<String>,
    #[command(flatten)]
    node: NodeArguments,
    #[command(flatten)]
    wallet: WalletArguments,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct Send {
    /// Who receives.
    to: String,
    /// How much, in HYS, such as 1.5.
    #[arg(value_parser = parse_amount)]
    amount: u64,
    /// A public note, at most 256 bytes.
    #[arg(long, default_value = "")]
    memo: String,
    #[command(flatten)]
    node: NodeArguments,
    #[command(flatten)]
    wallet: WalletArguments,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
    /// Do not wait until it is in a block.
    #[arg(long)]
    no_wait: bool,
}

#[derive(clap::Args)]
struct History {
    /// The account; the wallet's own unless given.
    address: Option<String>,
    #[command(flatten)]
    node: NodeArguments,
    #[command(flatten)]
    wallet: WalletArguments,
    /// How many entries at most, the newest first.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
    count: u32,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<u8> {
    match &arguments.command {
        Command::Create(create) => make(create, None),
        Command::Restore(create) => {
            let mut words = String::new();
            std::io::stdin()
                .lock()
                .take(WORDS_BYTES_MAX)
                .read_to_string(&mut words)
                .context("standard input")?;
            make(create, Some(words.trim()))
        }
        Command::Address(address) => {
            let (key, network) = address.wallet.open()?;
            let known = match &address.network {
                Some(path) => Network::named(path)?,
                None => Network::of_wallet(&network),
            };
            if known.name != network {
                bail!(
                    "the wallet is for {network}, and that genesis is of {}; name the other one",
                    known.name
                );
            }
            if address.public_key {
                println!("{}", hysteron_api::Hex32(key.public().0));
            } else {
                println!("{}", key.address().encode(&known.prefix));
            }
            Ok(0)
        }
        Command::Balance(balance) => show_balance(balance),
        Command::Send(send) => transfer(send),
        Command::History(history) => show_history(history),
    }
}

/// Makes a wallet from new words, or from given ones.
fn make(create: &Create, words: Option<&str>) -> Result<u8> {
    let path = create.wallet.path()?;
    if path.exists() {
        bail!(
            "{} exists, and a wallet is never overwritten; name another file with --wallet",
            path.display()
        );
    }
    let network = Network::named(&create.network)?;
    let is_new = words.is_none();
    let words = match words {
        Some(words) => Words::parse(words)?,
        None => Words::generate()?,
    };
    let password = create.wallet.password(true)?;
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        std::fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
    }
    let wallet = Wallet::new(&network.name, words);
    file::save(&path, &wallet, &password, Existing::Refuse)?;
    let key = wallet.key(0).context("a new wallet has an account")?;
    let mut out = std::io::stdout().lock();
    if is_new {
        writeln!(
            out,
            "Write these words down and keep them where nobody else reads them. They are the only copy:"
        )?;
        writeln!(
            out,
            "who has them has the coins, and without them a lost file or password is lost for ever."
        )?;
        writeln!(out)?;
        for (row, line) in wallet.words().text().split_whitespace().collect::<Vec<_>>().chunks(6).enumerate()
        {
            let numbered: Vec<String> = line
                .iter()
                .enumerate()
                .map(|(i, word)| format!("{:2} {word:<10}", 6 * row + i + 1))
                .collect();
            writeln!(out, "  {}", numbered.join(" ").trim_end())?;
        }
        writeln!(out)?;
    }
    writeln!(out, "wallet  {}", path.display())?;
    writeln!(out, "address {}", key.address().encode(&network.prefix))?;
    out.flush()?;
    Ok(0)
}

fn show_balance(balance: &Balance) -> Result<u8> {
    let connection = balance.node.connect()?;
    let address = match &balance.address {
        Some(text) => connection.text(&connection.address(text)?),
        None => connection.text(&balance.wallet.open_on(&connection)?.address()),
    };
    let account = connection.client.account(&address)?;
    let mut out = std::io::stdout().lock();
    if balance.json {
        serde_json::to_writer(&mut out, &account)?;
        writeln!(out)?;
        return Ok(0);
    }
    writeln!(out, "{}", account.address)?;
    writeln!(out, "{} HYS", account.balance.hys())?;
    if account.immature > Atoms(0) {
        let blocks = connection.genesis.maturity_blocks;
        writeln!(out, "{} HYS of rewards ripen within {blocks} blocks", account.immature.hys())?;
    }
    Ok(0)
}

fn transfer(send: &Send) -> Result<u8> {
    let connection = send.node.connect()?;
    let to = connection.address(&send.to)?;
    if send.amount == 0 {
        bail!("a transfer is of at least 0.000000001 HYS");
    }
    let signer = send.wallet.open_on(&connection)?;
    let question = format!("Send {} HYS to {}?", format_hys(send.amount), send.to);
    if !confirm(&question, send.yes)? {
        eprintln!("Nothing was sent.");
        return Ok(1);
    }
    let sent = connection.transfer(&signer, to, send.amount, &send.memo)?;
    println!("transaction {}", sent.id);
    println!("fee {} HYS", format_hys(sent.fee));
    if !send.no_wait {
        let most = Duration::from_secs(connection.genesis.spacing_seconds * WAIT_BLOCKS);
        let height = connection.wait_for(sent.id, most)?;
        println!("in block {height}");
    }
    Ok(0)
}

fn show_history(history: &History) -> Result<u8> {
    let connection = history.node.connect()?;
    let address = match &history.address {
        Some(text) => connection.text(&connection.address(text)?),
        None => connection.text(&history.wallet.open_on(&connection)?.address()),
    };
    let query = HistoryQuery { count: Some(history.count), ..HistoryQuery::default() };
    let page = connection.client.history(&address, &query)?;
    let mut out = std::io::stdout().lock();
    if history.json {
        serde_json::to_writer(&mut out, &page)?;
        writeln!(out)?;
        return Ok(0);
    }
    if page.entries.is_empty() {
        writeln!(out, "Nothing happened to {address} yet.")?;
    }
    for entry in &page.entries {
        let change = match (entry.received.0, entry.spent.0) {
            (received, 0) => format!("+{}", format_hys(received)),
            (0, spent) => format!("-{}", format_hys(spent)),
            (received, spent) => format!("+{} -{}", format_hys(received), format_hys(spent)),
        };
        let other = entry.other.as_deref().unwrap_or_default();
        let job = entry.job.map(|job| format!("job {job}")).unwrap_or_default();
        let line = format!("block {:>6}  {:<12} {change:>24} HYS  {other}{job}", entry.height, entry.kind);
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(0)
}
