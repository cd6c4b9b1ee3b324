//! The file that a network is made of: plain TOML. What is not said is as on the main network; what only people can decide (when it
//! begins, who is in the committee, the first rate) must be said. `hysteron network show` prints any network in the same form.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use hysteron_ledger::{Address, Committee, FeeRules, Founding, Genesis, MarketRules, PublicKey};
use hysteron_work::{Target, WorkRules};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::values::{Hys, Key, Time};

/// Bytes of such a file, at most: with 65,536 allocations it has eight million.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// A network.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkFile {
    /// Its name, 1 to 32 letters, digits or hyphens.
    pub network: String,
    /// What its addresses begin with.
    pub address_prefix: String,
    /// When block 0 is.
    pub time: Option<Time>,
    /// Seconds between blocks.
    pub spacing_seconds: u64,
    /// Half-life of the difficulty's adjustment.
    pub half_life_blocks: u64,
    /// Attempts that the first blocks are expected to take.
    pub first_block_attempts: u64,
    /// Blocks until a reward may be spent.
    pub maturity_blocks: u64,
    /// Blocks between a job's end and its settlement.
    pub confirmation_blocks: u64,
    /// The first committee.
    pub committee: Option<CommitteeTable>,
    /// Prices, bonds and delays.
    pub market: Market,
    /// Floors of fees, in atoms.
    #[serde(with = "Fees")]
    pub fees: FeeRules,
    /// Work.
    #[serde(with = "Work")]
    pub work: WorkRules,
    /// Coins that exist from the start.
    pub allocations: Vec<Allocation>,
}

/// Who reviews and who quotes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommitteeTable {
    /// Public keys, as `hysteron wallet address --public-key` prints them.
    pub reviewers: Vec<Key>,
    /// How many must agree.
    pub threshold: u8,
    /// Public keys that quote the price; without any, miners do.
    #[serde(default)]
    pub oracles: Vec<Key>,
}

/// See [`MarketRules`].
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "the names are those of MarketRules")]
pub struct Market {
    pub euro_cents_per_hys: Option<u64>,
    pub rate_is_fixed: bool,
    pub microcents_per_chip_block: u64,
    pub quote_seconds: u64,
    pub stale_seconds: u64,
    pub waiting_blocks: u64,
    pub claim_bond: Hys,
    pub claims_per_block: u32,
    pub reveal_after_blocks: u64,
    pub reveal_within_blocks: u64,
    pub held_from_elements: u64,
    pub committee_delay_blocks: u64,
}

/// How [`FeeRules`] are written.
#[derive(Serialize, Deserialize)]
#[serde(remote = "FeeRules", default = "main_fees", deny_unknown_fields)]
struct Fees {
    atoms_per_byte: u64,
    atoms_per_signature: u64,
    atoms_per_leg: u64,
    atoms_per_score: u64,
}

/// How [`WorkRules`] are written.
#[derive(Serialize, Deserialize)]
#[serde(remote = "WorkRules", default = "WorkRules::main", deny_unknown_fields)]
struct Work {
    cost_version: u32,
    leg_work: u64,
    pre_tries: u64,
    variables_max: u32,
    elements_max: u32,
    steps_min: u32,
    shrink_per_mille_max: u32,
    claim_age_blocks: u64,
    pool_age_blocks: u64,
    pool_period_blocks: u64,
}

/// Coins of one account.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allocation {
    /// Whose; the prefix must be the network's.
    pub address: Spanned<String>,
    /// How many, in HYS.
    pub hys: Hys,
}

/// The constants of the main network, with nothing that people decide.
fn main_network() -> Genesis {
    let nobody = Committee { reviewers: Vec::new(), threshold: 0, oracles: Vec::new() };
    Genesis::main(Founding { time: 0, committee: nobody, allocations: Vec::new(), euro_cents_per_hys: 0 })
}

impl Default for NetworkFile {
    fn default() -> Self {
        let mut file = Self::of(&main_network());
        (file.time, file.committee, file.market.euro_cents_per_hys) = (None, None, None);
        file
    }
}

impl Default for Market {
    fn default() -> Self {
        NetworkFile::default().market
    }
}

fn main_fees() -> FeeRules {
    main_network().fees
}

impl NetworkFile {
    /// A network in this form.
    pub fn of(genesis: &Genesis) -> Self {
        let market = &genesis.market;
        let keys = |keys: &[PublicKey]| keys.iter().copied().map(Key).collect();
        let address = |address: &Address| Spanned::new(0..0, address.encode(&genesis.address_prefix));
        Self {
            network: genesis.network.clone(),
            address_prefix: genesis.address_prefix.clone(),
            time: Some(Time(genesis.time)),
            spacing_seconds: genesis.spacing_seconds,
            half_life_blocks: genesis.half_life_blocks,
            first_block_attempts: u64::try_from(genesis.post_target.expected_tries()).unwrap_or(u64::MAX),
            maturity_blocks: genesis.maturity_blocks,
            confirmation_blocks: genesis.confirmation_blocks,
            committee: Some(CommitteeTable {
                reviewers: keys(&genesis.committee.reviewers),
                threshold: genesis.committee.threshold,
                oracles: keys(&genesis.committee.oracles),
            }),
            market: Market {
                euro_cents_per_hys: Some(market.euro_cents_per_hys),
                rate_is_fixed: market.rate_is_fixed,
                microcents_per_chip_block: market.microcents_per_chip_block,
                quote_seconds: market.quote_seconds,
                stale_seconds: market.stale_seconds,
                waiting_blocks: market.waiting_blocks,
                claim_bond: Hys(market.claim_bond),
                claims_per_block: market.claims_per_block,
                reveal_after_blocks: market.reveal_after_blocks,
                reveal_within_blocks: market.reveal_within_blocks,
                held_from_elements: market.held_from_elements,
                committee_delay_blocks: market.committee_delay_blocks,
            },
            fees: genesis.fees.clone(),
            work: genesis.work.clone(),
            allocations: (genesis.allocations.iter())
                .map(|(account, atoms)| Allocation { address: address(account), hys: Hys(*atoms) })
                .collect(),
        }
    }

    /// Reads a file and makes its network.
    pub fn read(path: &Path) -> Result<Genesis> {
        let name = path.display().to_string();
        let length = std::fs::metadata(path).with_context(|| name.clone())?.len();
        if length > FILE_BYTES_MAX {
            bail!("{name}: it has {length} bytes; a network's file has at most {FILE_BYTES_MAX}");
        }
        let text = std::fs::read_to_string(path).with_context(|| name.clone())?;
        Self::genesis(&text).with_context(|| name)
    }

    /// The network that a text describes.
    pub fn genesis(text: &str) -> Result<Genesis> {
        let file: Self = toml::from_str(text).map_err(|error| anyhow!("{}", error.to_string().trim_end()))?;
        let time = file
            .time
            .context("time is missing: say when the network begins, such as time = 2027-01-01T00:00:00Z")?;
        let committee = file.committee.context(
            "[committee] is missing: name the reviewers' public keys (`hysteron wallet address --public-key` prints one) and the \
             threshold",
        )?;
        let euro_cents_per_hys = file.market.euro_cents_per_hys.context(
            "market.euro_cents_per_hys is missing: say what one HYS is worth at first, in euro cents",
        )?;
        if file.first_block_attempts == 0 {
            bail!("first_block_attempts is 0; it must be at least 1");
        }
        let prefix = file.address_prefix.as_str();
        let is_plain = (1..=8).contains(&prefix.len()) && prefix.bytes().all(|b| b.is_ascii_lowercase());
        if !is_plain {
            bail!("address_prefix is \"{prefix}\"; it must be 1 to 8 lower-case letters, such as hys");
        }
        let mut allocations: Vec<(Address, u64)> = Vec::with_capacity(file.allocations.len());
        for Allocation { address, hys } in &file.allocations {
            let line = text[..address.span().start.min(text.len())].lines().count().max(1);
            let account =
                Address::decode(prefix, address.get_ref()).with_context(|| format!("line {line}"))?;
            if hys.0 == 0 {
                bail!("line {line}: an allocation of nothing; remove it, or give the account some HYS");
            }
            allocations.push((account, hys.0));
        }
        allocations.sort_unstable();
        if let Some(twice) = allocations.windows(2).find(|two| two[0].0 == two[1].0) {
            bail!("{} has two allocations; make one of them", twice[0].0.encode(prefix));
        }
        let keys = |keys: &[Key]| keys.iter().map(|key| key.0).collect();
        let committee = Committee {
            reviewers: keys(&committee.reviewers),
            threshold: committee.threshold,
            oracles: keys(&committee.oracles),
        };
        let market = file.market;
        let main = Genesis::main(Founding { time: time.0, committee, allocations, euro_cents_per_hys });
        let genesis = Genesis {
            network: file.network,
            address_prefix: file.address_prefix,
            spacing_seconds: file.spacing_seconds,
            half_life_blocks: file.half_life_blocks,
            post_target: Target::from_expected_tries(file.first_block_attempts.into()),
            maturity_blocks: file.maturity_blocks,
            confirmation_blocks: file.confirmation_blocks,
            fees: file.fees,
            market: MarketRules {
                microcents_per_chip_block: market.microcents_per_chip_block,
                rate_is_fixed: market.rate_is_fixed,
                quote_seconds: market.quote_seconds,
                stale_seconds: market.stale_seconds,
                waiting_blocks: market.waiting_blocks,
                claim_bond: market.claim_bond.0,
                claims_per_block: market.claims_per_block,
                reveal_after_blocks: market.reveal_after_blocks,
                reveal_within_blocks: market.reveal_within_blocks,
                held_from_elements: market.held_from_elements,
                committee_delay_blocks: market.committee_delay_blocks,
                ..main.market.clone()
            },
            work: file.work,
            ..main
        };
        genesis.check()?;
        Ok(genesis)
    }
}

#[cfg(test)]
mod tests {
    use hysteron_api::Hex32;

    use super::*;

    const LEAST: &str = "time = 2027-01-01T00:00:00Z\n[committee]\nreviewers = [\"KEY\"]\nthreshold = 1\n[market]\neuro_cents_per_hys = 10\n";

    fn least() -> String {
        LEAST.replace("KEY", &Hex32(hysteron_ledger::devnet_key("reviewer-1").0).to_string())
    }

    #[test]
    fn what_is_not_said_is_as_on_the_main_network() {
        let genesis = NetworkFile::genesis(&least()).expect("it is enough");
        let reviewers = vec![hysteron_ledger::devnet_key("reviewer-1")];
        let committee = Committee { reviewers, threshold: 1, oracles: Vec::new() };
        let founding =
            Founding { time: 1_798_761_600, committee, allocations: Vec::new(), euro_cents_per_hys: 10 };
        assert_eq!(genesis, Genesis::main(founding));
    }

    #[test]
    fn every_network_is_printed_as_what_makes_it() {
        let main = NetworkFile::genesis(&least()).expect("it is enough");
        for genesis in [Genesis::devnet(), main] {
            let text = toml::to_string(&NetworkFile::of(&genesis)).expect("it is TOML");
            assert_eq!(NetworkFile::genesis(&text).expect("what was printed is read"), genesis, "{text}");
        }
    }

    #[test]
    fn refusals_name_the_place_and_the_mend() {
        let with = |more: &str| format!("{more}\n{}", least());
        let at_end = |more: &str| format!("{}{more}\n", least());
        let alice = hysteron_ledger::devnet_key("alice").address();
        let allocation = |address: String, hys: &str| {
            at_end(&format!("[[allocations]]\naddress = \"{address}\"\nhys = \"{hys}\""))
        };
        for (text, words) in [
            (String::new(), &["time is missing", "time = "][..]),
            (least().replace("time = 2027-01-01T00:00:00Z", ""), &["time is missing"]),
            (least().replace("threshold", "treshold"), &["line 4", "treshold"]),
            (least().replace("threshold = 1", "threshold = 2"), &["keys"]),
            (least().replace("[\"", "[\"00"), &["line 3", "64 hexadecimal digits"]),
            (
                least().replace("euro_cents_per_hys = 10", "euro_cents_per_hys = 0"),
                &["market.euro_cents_per_hys is 0"],
            ),
            (least().replace("euro_cents_per_hys = 10", ""), &["market.euro_cents_per_hys is missing"]),
            (with("spacing_seconds = 0"), &["spacing_seconds is 0", "1 to 3600"]),
            (with("spacing = 5"), &["line 1", "spacing"]),
            (with("network = \"my net\""), &["letters, digits or hyphens"]),
            (with("address_prefix = \"HYS\""), &["address_prefix", "lower-case"]),
            (with("first_block_attempts = 0"), &["first_block_attempts"]),
            (at_end("claim_bond = \"0\""), &["market.claim_bond is 0"]),
            (at_end("claim_bond = \"much\""), &["line 7", "much"]),
            (at_end("[work]\nleg_work = 5"), &["work.leg_work"]),
            (at_end("[fees]\natoms_per_byte = -1"), &["line 8"]),
            (allocation(alice.encode("hysd"), "5"), &["line 8", "another network"]),
            (allocation(alice.encode("hys"), "0"), &["line 8", "nothing"]),
            (allocation(alice.encode("hys"), "100000001"), &["line 9"]),
        ] {
            let error = format!("{:#}", NetworkFile::genesis(&text).expect_err(&text));
            assert!(words.iter().all(|word| error.contains(word)), "{words:?}: {error}");
        }
        let twice = allocation(alice.encode("hys"), "5")
            + &format!("[[allocations]]\naddress = \"{}\"\nhys = \"1\"\n", alice.encode("hys"));
        assert!(NetworkFile::genesis(&twice).expect_err("twice").to_string().contains("two allocations"));
    }
}
