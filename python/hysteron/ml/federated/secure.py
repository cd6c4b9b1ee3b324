"""Secure aggregation: the server learns the sum of the parties' vectors, and of a party that drops out nothing.

The protocol is that of Bonawitz et al. 2017, "Practical secure aggregation for privacy-preserving machine learning" (CCS,
figure 4), with one difference: parties know each other's long-lived public keys beforehand (`Roster`) and seal what they
send each other, the round's mask keys included, so that one exchange does for advertising and sharing keys.

1. *share*: the server names the round's members. Each party draws a secret of a mask key and a secret of a mask of its
   own, splits both by Shamir's scheme with threshold t, and sends every member its pieces and its public mask key, sealed.
2. *input*: the server passes the sealed parts on. Each party adds to its vector, modulo 2^64, its own mask and, for each
   peer whose part it got, the mask that both know from Diffie-Hellman: plus one way, minus the other.
3. *unmask*: the server names who answered. Of those the survivors reveal pieces of the own masks, and of those who fell out
   since step 1 pieces of the mask keys; with t pieces the server removes what does not cancel.

What it protects from. The server, or up to t - 1 parties together, see nothing of a vector but the sum, if the server follows
the protocol. A server that lies about who answered can ask for both kinds of pieces of one party from different parties;
each party answers once a round and for one kind, so that it needs 2 t parties: with t more than half of the members it
gets nowhere alone, and needs 2 t - n parties on its side. It cannot put itself between parties, whose keys it cannot forge.
A round needs t survivors; fewer and it is lost. Parties that send nonsense spoil the sum, and nobody notices: clipping binds
only honest ones. Nothing hides how many members a round had and who they were.

Keys are X25519, sealing is ChaCha20-Poly1305, masks are ChaCha20 streams, derivations HKDF-SHA256, all of pyca/cryptography;
Shamir's scheme is over the integers modulo 2^255 - 19. Flower's own SecAgg+ is not used: it draws masks from a Mersenne Twister
with a seed of 32 bits (flwr 1.42, `secaggplus_utils.pseudo_rand_gen`).
"""

from __future__ import annotations

import json
import os
import secrets
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

Words = npt.NDArray[np.uint64]

#: Bits after the binary point: sums of up to 2^30 parties' values of absolute size below 2^8 fit with room.
FRACTION_BITS = 24
#: Members of a round at most; pieces are numbered in a byte.
MEMBERS_MAX = 255
_SECRET_BYTES = 16
# Of the field of Shamir's scheme: larger than any secret, and its numbers fill 32 bytes.
_PRIME = 2**255 - 19
_NONCE_BYTES = 12


@dataclass(frozen=True)
class Identity:
    """A party's long-lived key: 32 secret bytes."""

    secret: bytes

    @staticmethod
    def new() -> Identity:
        """From the operating system's entropy."""
        return Identity(os.urandom(32))

    @property
    def key(self) -> X25519PrivateKey:
        """The private key."""
        return X25519PrivateKey.from_private_bytes(self.secret)

    @property
    def public(self) -> bytes:
        """What goes into the roster: 32 bytes."""
        return bytes(self.key.public_key().public_bytes_raw())


#: Public keys of all parties by their numbers, known to every party beforehand, not from the server.
Roster = Mapping[int, bytes]


def _derive(secret: bytes, purpose: str, *numbers: int, length: int = 32) -> bytes:
    info = purpose.encode() + struct.pack(f"<{len(numbers)}Q", *numbers)
    return bytes(HKDF(hashes.SHA256(), length, salt=None, info=info).derive(secret))


def _stream(seed: bytes, words: int) -> Words:
    """A mask: so many words of a key's stream, which is used for nothing else."""
    encryptor = Cipher(ChaCha20(seed, bytes(16)), mode=None).encryptor()
    return np.frombuffer(encryptor.update(bytes(8 * words)), dtype="<u8").astype(np.uint64)


@lru_cache(maxsize=1 << 12)
def _exchange(secret: bytes, public: bytes) -> bytes:
    """What two long-lived keys have in common, which never changes."""
    key = X25519PrivateKey.from_private_bytes(secret)
    return bytes(key.exchange(X25519PublicKey.from_public_bytes(public)))


def _split(secret: bytes, count: int, members: int) -> list[bytes]:
    """Pieces 1, 2, ... of a secret, any `count` of which reveal it: Shamir 1979, values of a random polynomial."""
    coefficients = [int.from_bytes(secret, "little"), *(secrets.randbelow(_PRIME) for _ in range(count - 1))]
    pieces = []
    for point in range(1, members + 1):
        value = 0
        for coefficient in reversed(coefficients):
            value = (value * point + coefficient) % _PRIME
        pieces.append(value.to_bytes(32, "little"))
    return pieces


def _mask_key(secret: bytes) -> X25519PrivateKey:
    """The round's mask key of a shared secret of 16 bytes."""
    return X25519PrivateKey.from_private_bytes(_derive(secret, "hysteron mask key"))


def _pair_mask(key: X25519PrivateKey, other: bytes, low: int, high: int, number: int, words: int) -> Words:
    shared = key.exchange(X25519PublicKey.from_public_bytes(other))
    return _stream(_derive(shared, "hysteron pair mask", number, low, high), words)


def threshold(members: int) -> int:
    """Pieces that reveal a secret of a round: more than half of the members."""
    return members // 2 + 1


def to_words(values: npt.NDArray[np.float64]) -> Words:
    """Fixed point modulo 2^64, rounded to the nearest."""
    limit = 2.0 ** (62 - FRACTION_BITS - 8)
    if not np.isfinite(values).all() or np.abs(values).max(initial=0.0) > limit:
        raise ValueError("values do not fit fixed point")
    return np.rint(values * 2.0**FRACTION_BITS).astype(np.int64).view(np.uint64)


def to_values(words: Words) -> npt.NDArray[np.float64]:
    """The inverse of `to_words`."""
    return words.view(np.int64) / 2.0**FRACTION_BITS


@dataclass
class Member:
    """A party's side of one round: `share`, then `mask`, then `reveal`, each once."""

    number: int
    identity: Identity
    roster: Roster
    round: int
    members: tuple[int, ...]
    _own: bytes = field(default_factory=lambda: os.urandom(_SECRET_BYTES))
    _key: bytes = field(default_factory=lambda: os.urandom(_SECRET_BYTES))
    _pieces: dict[int, tuple[int, bytes, bytes]] = field(default_factory=dict)
    _stage: int = 0

    def __post_init__(self) -> None:
        if self.number not in self.members or len(set(self.members)) != len(self.members):
            raise ValueError("a round's members are distinct, and this party is one of them")
        if not 2 <= len(self.members) <= MEMBERS_MAX:
            raise ValueError(f"a round has from 2 to {MEMBERS_MAX} members")
        strangers = [member for member in self.members if member not in self.roster]
        if strangers:
            raise ValueError(f"party {strangers[0]} is not in the roster")

    @property
    def public(self) -> bytes:
        """This round's public mask key."""
        return bytes(_mask_key(self._key).public_key().public_bytes_raw())

    @property
    def _bound(self) -> bytes:
        """What a sealed part is bound to: the round and its members, so that all who open one speak of the same."""
        return struct.pack(f"<{len(self.members) + 1}Q", self.round, *self.members)

    def state(self) -> str:
        """For the next stage, on the party's own disk: it holds the round's secrets."""
        pieces = {member: [index, own.hex(), key.hex()] for member, (index, own, key) in self._pieces.items()}
        rest = {"own": self._own.hex(), "key": self._key.hex(), "pieces": pieces, "stage": self._stage}
        return json.dumps({"round": self.round, "members": self.members, **rest})

    @staticmethod
    def resume(state: str, number: int, identity: Identity, roster: Roster) -> Member:
        """The inverse of `state`."""
        known = json.loads(state)
        pieces = {
            int(member): (index, bytes.fromhex(own), bytes.fromhex(key))
            for member, (index, own, key) in known["pieces"].items()
        }
        rest = (bytes.fromhex(known["own"]), bytes.fromhex(known["key"]), pieces, known["stage"])
        return Member(number, identity, roster, known["round"], tuple(known["members"]), *rest)

    def _advance(self, stage: int) -> None:
        if self._stage != stage:
            raise ValueError("a round's stages come once and in their order")
        self._stage += 1

    def _seal(self, sender: int, receiver: int) -> ChaCha20Poly1305:
        other = receiver if sender == self.number else sender
        shared = _exchange(self.identity.secret, self.roster[other])
        return ChaCha20Poly1305(_derive(shared, "hysteron seal", self.round, sender, receiver))

    def share(self) -> dict[int, bytes]:
        """For every other member its sealed pieces."""
        self._advance(0)
        count = threshold(len(self.members))
        own_pieces = _split(self._own, count, len(self.members))
        key_pieces = _split(self._key, count, len(self.members))
        sealed = {}
        for index, (member, own, key) in enumerate(zip(self.members, own_pieces, key_pieces, strict=True), start=1):
            if member == self.number:
                self._pieces[member] = (index, own, key)
                continue
            nonce = os.urandom(_NONCE_BYTES)
            plain = bytes([index]) + own + key + self.public
            sealed[member] = nonce + self._seal(self.number, member).encrypt(nonce, plain, self._bound)
        return sealed

    def mask(self, sealed: Mapping[int, bytes], words: Words) -> Words:
        """The vector under the masks with everyone whose sealed part is here."""
        self._advance(1)
        if len(sealed) + 1 < threshold(len(self.members)):
            raise ValueError("too few members are left")
        result = words + _stream(_derive(self._own, "hysteron own mask", self.round), len(words))
        key = _mask_key(self._key)
        for sender, ciphertext in sealed.items():
            if sender not in self.members or sender == self.number:
                raise ValueError(f"party {sender} is no other member of this round")
            nonce, rest = ciphertext[:_NONCE_BYTES], ciphertext[_NONCE_BYTES:]
            plain = self._seal(sender, self.number).decrypt(nonce, rest, self._bound)
            index, own, piece, public = plain[0], plain[1:33], plain[33:65], plain[65:]
            self._pieces[sender] = (index, own, piece)
            low, high = sorted((self.number, sender))
            pair = _pair_mask(key, public, low, high, self.round, len(words))
            result = result + pair if self.number == low else result - pair
        return result

    def reveal(self, survivors: Iterable[int]) -> dict[int, tuple[int, bytes]]:
        """Pieces: of survivors that of the own mask, of the others that shared in this round that of the mask key."""
        self._advance(2)
        alive = set(survivors)
        if self.number not in alive or not alive <= set(self._pieces):
            raise ValueError("survivors are among those that shared, this party one of them")
        if len(alive) < threshold(len(self.members)):
            raise ValueError("too few members are left: nothing is revealed")
        return {
            member: (index, own if member in alive else key) for member, (index, own, key) in self._pieces.items()
        }


def secret_of_pieces(pieces: Iterable[tuple[int, bytes]], members: int) -> bytes:
    """A secret from at least `threshold` of its pieces."""
    distinct = dict(pieces)
    count = threshold(members)
    if len(distinct) < count:
        raise ValueError("too few pieces")
    points = [(index, int.from_bytes(piece, "little")) for index, piece in sorted(distinct.items())[:count]]
    secret = 0
    for index, value in points:
        weight = 1
        for other, _ in points:
            if other != index:
                weight = weight * other * pow(other - index, -1, _PRIME) % _PRIME
        secret = (secret + value * weight) % _PRIME
    if secret >= 1 << 8 * _SECRET_BYTES:
        raise ValueError("the pieces are not of one secret")
    return secret.to_bytes(_SECRET_BYTES, "little")


def unmask(
    masked: Mapping[int, Words],
    revealed: Mapping[int, Mapping[int, tuple[int, bytes]]],
    shared: Iterable[int],
    publics: Mapping[int, bytes],
    members: int,
    number: int,
) -> Words:
    """The sum of the vectors of those in `masked`.

    Args:
        masked: Vectors that came in, by party.
        revealed: Pieces that survivors revealed: by survivor, then by whose secret it is.
        shared: Parties whose sealed parts went out in this round, those that fell out later included.
        publics: Public mask keys of those who sent masked vectors.
        members: How many members the round had.
        number: Of the round.

    Raises:
        ValueError: Too few pieces are there.
    """
    total = np.zeros_like(next(iter(masked.values())))
    for vector in masked.values():
        total = total + vector
    for party in shared:
        pieces = [answer[party] for answer in revealed.values() if party in answer]
        secret = secret_of_pieces(pieces, members)
        if party in masked:
            total = total - _stream(_derive(secret, "hysteron own mask", number), len(total))
            continue
        key = _mask_key(secret)
        for survivor in masked:
            low, high = sorted((party, survivor))
            pair = _pair_mask(key, publics[survivor], low, high, number, len(total))
            # What the survivor added is taken back.
            total = total - pair if survivor == low else total + pair
    return total
