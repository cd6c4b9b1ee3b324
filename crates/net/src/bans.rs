//! Who is not talked to, until when. Kept in a text file of one line a ban, which an operator may
//! read and edit: `peer PEER UNIX_SECONDS reason` or `address IP UNIX_SECONDS reason`.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::PeerId;
use crate::address::Origin;
use crate::limits::BANS_MAX;

/// Bytes of a reason that are kept.
pub const REASON_BYTES_MAX: usize = 160;

/// Bans in force. Times are unix seconds and are given in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bans {
    entries: BTreeMap<Banned, Ban>,
}

/// Whom a ban means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Banned {
    /// A key.
    Peer(PeerId),
    /// Wherever it comes from.
    Origin(Origin),
}

/// Until when, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    /// Unix seconds at which it ends.
    pub until_s: u64,
    /// A sentence, at most [`REASON_BYTES_MAX`] bytes, on one line.
    pub reason: String,
}

impl Bans {
    /// Bans until `until_s`, or longer if it is banned for longer. When the list is full the ban that ends first goes.
    pub fn insert(&mut self, banned: Banned, until_s: u64, reason: &str) {
        if let Banned::Origin(origin) = banned
            && origin.is_loopback()
        {
            return;
        }
        let reason = one_line(reason);
        let ban = self.entries.entry(banned).or_insert(Ban { until_s: 0, reason: String::new() });
        if until_s >= ban.until_s {
            *ban = Ban { until_s, reason };
        }
        if self.entries.len() > BANS_MAX {
            let first = self.entries.iter().min_by_key(|(_, ban)| ban.until_s).map(|(banned, _)| *banned);
            first.map(|banned| self.entries.remove(&banned));
        }
    }

    /// The ban that is in force now.
    pub fn get(&self, banned: Banned, now_s: u64) -> Option<&Ban> {
        self.entries.get(&banned).filter(|ban| ban.until_s > now_s)
    }

    /// Lifts a ban; says whether there was one.
    pub fn remove(&mut self, banned: Banned) -> bool {
        self.entries.remove(&banned).is_some()
    }

    /// Forgets those that have ended.
    pub fn expire(&mut self, now_s: u64) {
        self.entries.retain(|_, ban| ban.until_s > now_s);
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Banned, &Ban)> {
        self.entries.iter()
    }

    /// The file's text.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (banned, ban) in &self.entries {
            let (kind, who) = match banned {
                Banned::Peer(peer) => ("peer", peer.to_string()),
                Banned::Origin(origin) => ("address", origin.to_string()),
            };
            writeln!(text, "{kind} {who} {} {}", ban.until_s, ban.reason).expect("strings take any text");
        }
        text
    }

    /// Reads the file's text. A line that is not a ban is left out, and counted.
    pub fn from_text(text: &str) -> (Self, usize) {
        let mut bans = Self::default();
        let mut wrong = 0;
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            match parse(line) {
                Some((banned, until_s, reason)) => bans.insert(banned, until_s, reason),
                None => wrong += 1,
            }
        }
        (bans, wrong)
    }
}

fn parse(line: &str) -> Option<(Banned, u64, &str)> {
    let mut words = line.splitn(4, ' ');
    let (kind, who, until_s) = (words.next()?, words.next()?, words.next()?.parse().ok()?);
    let banned = match kind {
        "peer" => Banned::Peer(who.parse().ok()?),
        "address" => Banned::Origin(who.parse().ok()?),
        _ => return None,
    };
    Some((banned, until_s, words.next().unwrap_or("")))
}

fn one_line(reason: &str) -> String {
    let mut text: String = reason.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let end =
        (0..=text.len().min(REASON_BYTES_MAX)).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    text.truncate(end);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ban_ends_and_the_longer_one_counts() {
        let mut bans = Bans::default();
        let peer = Banned::Peer(PeerId::random());
        bans.insert(peer, 200, "Forged work.");
        bans.insert(peer, 100, "Slow.");
        assert_eq!(bans.get(peer, 199).unwrap().reason, "Forged work.");
        assert_eq!(bans.get(peer, 200), None);
        bans.expire(200);
        assert_eq!(bans, Bans::default());
    }

    #[test]
    fn loopback_is_never_banned_by_address() {
        let mut bans = Bans::default();
        bans.insert(Banned::Origin("127.0.0.5".parse().unwrap()), 100, "");
        bans.insert(Banned::Origin("8.8.8.8".parse().unwrap()), 100, "");
        assert_eq!(bans.iter().count(), 1);
    }

    #[test]
    fn the_list_is_bounded_and_the_shortest_ban_goes() {
        let mut bans = Bans::default();
        let peers: Vec<_> = (0..=BANS_MAX).map(|_| Banned::Peer(PeerId::random())).collect();
        for (until_s, &peer) in (1..).zip(&peers) {
            bans.insert(peer, until_s, "");
        }
        assert_eq!(bans.iter().count(), BANS_MAX);
        assert_eq!(bans.get(peers[0], 0), None);
    }
}
