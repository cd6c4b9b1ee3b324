//! Rounds of sync against model peers, step by step. A model block is its parent's hash, height,
//! cumulative work and a tag; tag 13 makes it invalid for whoever imports it.

use super::*;
use crate::limits::HEADERS_PER_ANSWER_MAX;
use crate::view::HeaderSummary;

#[derive(Clone)]
struct ModelPeer {
    chain: Vec<Vec<u8>>,
    claims: u8,
    has_blocks: bool,
    sends_others: bool,
    silent: bool,
}

struct World {
    sync: Sync,
    own: Vec<Vec<u8>>,
    stored: BTreeSet<Hash>,
    peers: BTreeMap<PeerId, ModelPeer>,
    asked_blocks: BTreeMap<PeerId, usize>,
    asked_headers: BTreeMap<PeerId, usize>,
    punished: BTreeMap<PeerId, u32>,
    unjudged: u32,
    now_ms: u64,
}

fn hash(bytes: &[u8]) -> Hash {
    *blake3::hash(bytes).as_bytes()
}

fn work(amount: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[24..].copy_from_slice(&amount.to_be_bytes());
    bytes
}

fn summary(bytes: &[u8]) -> HeaderSummary {
    let number = |from: usize| u64::from_le_bytes(bytes[from..from + 8].try_into().unwrap());
    HeaderSummary {
        hash: hash(bytes),
        parent: bytes[..32].try_into().unwrap(),
        height: number(32),
        work: work(number(40)),
    }
}

/// `length` blocks after `from`, each worth `weight`.
fn extend(from: &[Vec<u8>], length: usize, weight: u64, tag: u8) -> Vec<Vec<u8>> {
    let mut chain = from.to_vec();
    for _ in 0..length {
        let parent = chain.last().unwrap();
        let above = u64::from_le_bytes(parent[40..48].try_into().unwrap());
        let height = chain.len() as u64;
        let block =
            [&hash(parent)[..], &height.to_le_bytes(), &(above + weight).to_le_bytes(), &[tag]].concat();
        chain.push(block);
    }
    chain
}

fn genesis() -> Vec<Vec<u8>> {
    vec![[0; 49].to_vec()]
}

fn tip(chain: &[Vec<u8>]) -> Tip {
    let last = summary(chain.last().unwrap());
    Tip { height: last.height, hash: last.hash, work: last.work }
}

fn honest(chain: &[Vec<u8>]) -> ModelPeer {
    ModelPeer { chain: chain.to_vec(), claims: 0, has_blocks: true, sends_others: false, silent: false }
}

impl World {
    fn new(peers: Vec<ModelPeer>) -> (Self, Vec<PeerId>) {
        let own = genesis();
        let ids: Vec<_> = peers.iter().map(|_| PeerId::random()).collect();
        let stored = own.iter().map(|block| hash(block)).collect();
        let mut world = Self {
            sync: Sync::new(1000, 64 << 20),
            own,
            stored,
            peers: ids.iter().copied().zip(peers).collect(),
            asked_blocks: BTreeMap::new(),
            asked_headers: BTreeMap::new(),
            punished: BTreeMap::new(),
            unjudged: 0,
            now_ms: 0,
        };
        world.sync.own_tip(tip(&world.own), 0);
        for id in &ids {
            let peer = &world.peers[id];
            let mut tip = tip(&peer.chain);
            tip.work[0] = peer.claims;
            world.sync.peer_tip(*id, tip, 0);
        }
        (world, ids)
    }

    /// Runs for so many model seconds, or until nothing is left to do.
    fn run(&mut self, seconds: u64) {
        for _ in 0..seconds * 10 {
            while let Some(action) = self.sync.next_action() {
                self.act(action);
            }
            self.now_ms += 100;
            self.sync.tick(self.now_ms);
        }
    }

    fn act(&mut self, action: Action) {
        let now_ms = self.now_ms;
        match action {
            Action::Begin(ticket) => {
                let locator = self.own.iter().rev().map(|block| hash(block)).collect();
                self.sync.begun(ticket, tip(&self.own), locator, now_ms);
            }
            Action::AskHeaders { ticket, peer, locator } => {
                *self.asked_headers.entry(peer).or_default() += 1;
                let Some(model) = self.peers.get(&peer).filter(|model| !model.silent) else {
                    return self.sync.headers_answered(ticket, Err(Failure::Silent), now_ms);
                };
                let known = |block: &&Vec<u8>| locator.contains(&hash(block));
                let start = model
                    .chain
                    .iter()
                    .rev()
                    .find(known)
                    .map_or(1, |block| summary(block).height as usize + 1);
                let headers = model.chain[start..].iter().take(HEADERS_PER_ANSWER_MAX).cloned().collect();
                self.sync.headers_answered(ticket, Ok(headers), now_ms);
            }
            Action::CheckHeaders { ticket, headers, .. } => {
                let checked =
                    headers.into_iter().map(|bytes| CheckedHeader { summary: summary(&bytes), bytes });
                self.sync.headers_checked(ticket, Ok(checked.collect()), now_ms);
            }
            Action::CheckCandidate { ticket, .. } if self.unjudged > 0 => {
                self.unjudged -= 1;
                let fault = Fault { ban_score: 0, reason: "We forgot it.".into() };
                self.sync.candidate_checked(ticket, Err(fault), now_ms);
            }
            Action::CheckCandidate { ticket, headers, .. } => {
                let known =
                    headers.iter().take_while(|header| self.stored.contains(&header.summary.hash)).count();
                self.sync.candidate_checked(ticket, Ok(known), now_ms);
            }
            Action::AskBlocks { ticket, peer, hashes } => {
                *self.asked_blocks.entry(peer).or_default() += hashes.len();
                let Some(model) = self.peers.get(&peer).filter(|model| !model.silent) else {
                    return self.sync.blocks_answered(ticket, Err(Failure::Silent), now_ms);
                };
                let find = |wanted: &Hash| {
                    let found = model.chain.iter().find(|block| hash(block) == *wanted && model.has_blocks);
                    let found = if model.sends_others { model.chain.first() } else { found };
                    found.map(|block| (Some(hash(block)), block.clone()))
                };
                // Three at a time, as if the answer were full.
                let blocks = hashes.iter().take(3).map(find).collect();
                self.sync.blocks_answered(ticket, Ok(blocks), now_ms);
            }
            Action::ImportBlock { ticket, hash: name, bytes, .. } => {
                assert_eq!(hash(&bytes), name);
                assert!(self.stored.contains(&summary(&bytes).parent), "blocks come in order");
                if bytes[48] == 13 {
                    let fault = Fault { ban_score: 100, reason: "Forged work.".into() };
                    return self.sync.block_imported(ticket, Imported::Invalid(fault), now_ms);
                }
                self.stored.insert(name);
                if summary(&bytes).work > tip(&self.own).work {
                    let holders = self.peers.values();
                    let chain =
                        holders.map(|model| &model.chain).find(|chain| chain.contains(&bytes)).unwrap();
                    self.own = chain[..=summary(&bytes).height as usize].to_vec();
                }
                self.sync.block_imported(ticket, Imported::Stored, now_ms);
            }
            Action::Punish(peer, fault) => {
                let score = self.punished.entry(peer).or_default();
                *score += fault.ban_score;
                if *score >= 100 && self.peers.remove(&peer).is_some() {
                    self.sync.peer_gone(peer, now_ms);
                }
            }
        }
    }
}

#[test]
fn a_long_chain_comes_from_several_peers_and_its_headers_once() {
    let chain = extend(&genesis(), 3 * HEADERS_PER_ANSWER_MAX + 7, 1, 0);
    let (mut world, ids) = World::new(vec![honest(&chain), honest(&chain), honest(&chain)]);
    world.run(60);
    assert!(world.own == chain && world.punished.is_empty());
    assert!(ids.iter().all(|id| world.asked_blocks[id] > 300), "{:?}", world.asked_blocks);
    // One is asked for all headers; the others follow after their first answer.
    let mut asked: Vec<_> = world.asked_headers.values().copied().collect();
    asked.sort_unstable();
    assert_eq!(asked, [1, 1, 4]);
}

#[test]
fn the_chain_with_more_work_wins_over_the_longer_one() {
    let (long, heavy) = (extend(&genesis(), 40, 1, 1), extend(&genesis(), 20, 3, 2));
    let (mut world, _) = World::new(vec![honest(&long), honest(&heavy)]);
    world.run(60);
    assert!(world.own == heavy && world.punished.is_empty());
}

#[test]
fn a_forged_chain_is_found_out_and_its_peer_banned_and_the_other_chain_is_taken() {
    let good = extend(&genesis(), 30, 1, 0);
    let forged = extend(&extend(&good[..20], 1, 1, 13), 20, 5, 0);
    let (mut world, ids) = World::new(vec![honest(&forged), honest(&good)]);
    world.run(60);
    assert!(world.own == good);
    assert_eq!(world.punished, BTreeMap::from([(ids[0], 100)]));
    // Another peer with the same forged chain is recognised by its headers, before any block is fetched.
    let late = PeerId::random();
    world.peers.insert(late, honest(&forged));
    world.sync.peer_tip(late, tip(&forged), world.now_ms);
    world.run(60);
    assert!(world.punished[&late] >= 100 && !world.asked_blocks.contains_key(&late));
    assert!(world.own == good);
}

#[test]
fn who_sends_other_blocks_is_banned_and_the_rest_comes_from_the_other() {
    let chain = extend(&genesis(), 50, 1, 0);
    let liar = ModelPeer { sends_others: true, ..honest(&chain) };
    let (mut world, ids) = World::new(vec![liar, honest(&chain)]);
    world.run(60);
    assert!(world.own == chain);
    assert_eq!(world.punished.keys().collect::<Vec<_>>(), [&ids[0]]);
}

#[test]
fn the_silent_and_those_without_blocks_are_gone_around() {
    let chain = extend(&genesis(), 50, 1, 0);
    let peers = vec![
        ModelPeer { silent: true, ..honest(&chain) },
        ModelPeer { has_blocks: false, ..honest(&chain) },
        honest(&chain),
    ];
    let (mut world, ids) = World::new(peers);
    world.run(120);
    assert!(world.own == chain);
    assert!(!world.punished.contains_key(&ids[2]));
}

#[test]
fn a_withheld_chain_costs_its_peer_the_connection_and_ends_nothing() {
    let good = extend(&genesis(), 10, 1, 0);
    let withheld = ModelPeer { has_blocks: false, ..honest(&extend(&genesis(), 30, 2, 1)) };
    let (mut world, ids) = World::new(vec![withheld, honest(&good)]);
    world.run(300);
    assert!(world.own == good);
    assert!(world.punished[&ids[0]] >= 100 && !world.punished.contains_key(&ids[1]));
}

#[test]
fn a_chain_that_we_could_not_judge_is_taken_later() {
    let chain = extend(&genesis(), 10, 1, 0);
    let (mut world, ids) = World::new(vec![honest(&chain)]);
    world.unjudged = 2;
    world.run(60);
    assert!(world.own == chain && world.punished.get(&ids[0]).is_none_or(|score| *score == 0));
}

#[test]
fn a_boaster_is_scored_until_it_is_banned() {
    let chain = extend(&genesis(), 10, 1, 0);
    let (mut world, ids) = World::new(vec![ModelPeer { claims: 9, ..honest(&chain) }]);
    world.run(300);
    assert!(world.own == chain);
    assert!(world.punished[&ids[0]] >= 100);
}

#[test]
fn orphans_are_taken_instead_of_asked_for() {
    let chain = extend(&genesis(), 5, 1, 0);
    let (mut world, ids) = World::new(vec![honest(&chain)]);
    for block in &chain[3..] {
        assert!(world.sync.keep_orphan(ids[0], hash(block), block.clone()));
    }
    world.run(10);
    assert!(world.own == chain);
    assert_eq!(world.asked_blocks[&ids[0]], 2, "the three that came by themselves are not asked for");
    assert_eq!(world.sync.orphans().count(), 0);
}
