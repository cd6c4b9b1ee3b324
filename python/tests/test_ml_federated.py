"""Federated training: masks cancel, dropped parties are recovered from, lies are refused, and the sum is that of the rows."""

import itertools
import math

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")
pytest.importorskip("flwr", reason="Flower is not installed")
pytest.importorskip("dp_accounting", reason="dp-accounting is not installed")

from flwr.app import ConfigRecord, Context, Message, RecordDict

from hysteron.ml import Machine, ModeSchedule, bars_and_stripes
from hysteron.ml.federated import Federation, Identity, Party, Privacy, epsilon, noise_for, secure, train, train_centrally
from hysteron.ml.federated.training import LocalGrid, client_app, clipped_sum


def parties_of(count):
    identities = [Identity.new() for _ in range(count)]
    return identities, {number: identity.public for number, identity in enumerate(identities)}


def run_round(vectors, drop_before_input=(), drop_before_unmask=(), number=7):
    """The protocol without Flower: what the server computes."""
    identities, roster = parties_of(len(vectors))
    members = tuple(range(len(vectors)))
    party = {i: secure.Member(i, identities[i], roster, number, members) for i in members}
    sealed = {i: party[i].share() for i in members}
    alive = [i for i in members if i not in drop_before_input]
    masked = {}
    for i in alive:
        inbox = {sender: sealed[sender][i] for sender in members if sender != i}
        # Between stages a party may have been restarted.
        party[i] = secure.Member.resume(party[i].state(), i, identities[i], roster)
        masked[i] = party[i].mask(inbox, secure.to_words(vectors[i]))
    publics = {i: party[i].public for i in alive}
    revealed = {i: party[i].reveal(alive) for i in alive if i not in drop_before_unmask}
    total = secure.unmask(masked, revealed, members, publics, len(members), number)
    return masked, secure.to_values(total)


@pytest.mark.parametrize("dropped", [(), (0,), (2, 4), (1, 3)])
def test_the_server_gets_the_sum_of_those_who_answered(dropped):
    vectors = np.random.default_rng(1).normal(0, 50, size=(6, 40))
    masked, total = run_round(vectors, drop_before_input=dropped)
    expected = vectors[[i for i in range(6) if i not in dropped]].sum(axis=0)
    # Rounding is by half a unit for each party.
    assert np.abs(total - expected).max() <= 6 * 2.0**-secure.FRACTION_BITS
    # What a single party sent looks like noise: no word of it is near what it hides.
    for i, words in masked.items():
        assert np.abs(secure.to_values(words) - vectors[i]).min() > 1e3


def test_some_may_fall_out_between_input_and_unmasking_but_not_half():
    vectors = np.ones((6, 3))
    assert run_round(vectors, (0,), (5,))[1] == pytest.approx(np.full(3, 5.0))
    with pytest.raises(ValueError, match="too few pieces"):
        run_round(vectors, (0,), (3, 4, 5))


def test_fewer_pieces_than_the_threshold_tell_nothing_and_more_tell_all():
    secret = bytes(range(16))
    pieces = list(enumerate(secure._split(secret, 4, 7), start=1))
    for chosen in itertools.combinations(pieces, 4):
        assert secure.secret_of_pieces(chosen, 7) == secret
    with pytest.raises(ValueError, match="too few"):
        secure.secret_of_pieces(pieces[:3], 7)
    spoiled = [(1, bytes(32)), *pieces[1:4]]
    with pytest.raises(ValueError, match="not of one secret"):
        secure.secret_of_pieces(spoiled, 7)


def test_a_member_refuses_what_would_tell_too_much():
    identities, roster = parties_of(4)
    make = lambda i: secure.Member(i, identities[i], roster, 1, (0, 1, 2, 3))
    first, second = make(0), make(1)
    sealed = second.share()
    first.share()
    with pytest.raises(ValueError, match="once and in their order"):
        first.share()
    with pytest.raises(ValueError, match="too few"):
        make_shared = make(2)
        make_shared.share()
        make_shared.mask({1: sealed[2]}, np.zeros(1, dtype=np.uint64))
    others = {1: sealed[0], 2: make(2).share()[0]}
    first.mask(others, np.zeros(1, dtype=np.uint64))
    for survivors in ([0, 1], [1, 2, 3], [0, 1, 3]):  # too few, without itself, with one that never shared
        copy = secure.Member.resume(first.state(), 0, identities[0], roster)
        with pytest.raises(ValueError):
            copy.reveal(survivors)
    first.reveal([0, 1, 2])
    with pytest.raises(ValueError, match="once and in their order"):
        first.reveal([0, 1, 2])
    with pytest.raises(ValueError, match="roster"):
        secure.Member(0, identities[0], roster, 1, (0, 1, 9))


def test_sealed_parts_are_bound_to_sender_receiver_round_and_members():
    from cryptography.exceptions import InvalidTag

    identities, roster = parties_of(3)
    sealed = secure.Member(1, identities[1], roster, 5, (0, 1, 2)).share()
    for number, members, sender, ciphertext in (
        (6, (0, 1, 2), 1, sealed[0]),
        (5, (1, 0, 2), 1, sealed[0]),
        (5, (0, 1, 2), 2, sealed[0]),
        (5, (0, 1, 2), 1, sealed[2]),
        (5, (0, 1, 2), 1, sealed[0][:-1] + bytes([sealed[0][-1] ^ 1])),
    ):
        member = secure.Member(0, identities[0], roster, number, members)
        member.share()
        with pytest.raises(InvalidTag):
            member.mask({sender: ciphertext}, np.zeros(1, dtype=np.uint64))


def test_fixed_point():
    values = np.array([0.0, 1.5, -2.25, 1e6, -1e6])
    assert (secure.to_values(secure.to_words(values)) == values).all()
    for bad in (np.inf, np.nan, 1e12):
        with pytest.raises(ValueError, match="fit"):
            secure.to_words(np.array([bad]))


def test_clipped_sums_are_those_of_rows_one_by_one():
    rng = np.random.default_rng(3)
    machine = Machine(rng.normal(size=(5, 4)), rng.normal(size=5), rng.normal(size=4))
    reference = Machine(rng.random((5, 4)), rng.random(5), rng.random(4))
    rows = (rng.random((20, 5)) < 0.5).astype(float)
    for clip in (0.5, 2.0, 100.0):
        expected = np.zeros(5 * 4 + 9)
        for row in rows:
            difference = machine.statistics(row[None]).plus(reference, -1.0).vector()
            expected += difference * min(1, clip / np.linalg.norm(difference))
        assert clipped_sum(machine, rows, reference, clip) == pytest.approx(expected, abs=1e-9)
    assert np.linalg.norm(clipped_sum(machine, rows[:1], reference, 0.5)) == pytest.approx(0.5)
    assert (clipped_sum(machine, rows[:0], reference, 1.0) == 0).all()


def federation(**changes):
    settings = {"visible": 9, "hidden": 8, "rounds": 40, "rate": 1.0, "rows": 14, "parties": 5, "clip": 100.0}
    return Federation(**{**settings, "learning_rate": (0.1, 0.1), "chains": 14, **changes})


def make_parties(rows, count, seed=1):
    identities, roster = parties_of(count)
    return [Party(i, part, identities[i], roster, seed) for i, part in enumerate(np.array_split(rows, count))]


def test_with_everyone_there_it_is_central_training():
    rows = bars_and_stripes(3)
    settings = federation(schedule=ModeSchedule(0.5, 0.0, 10.0))
    result = train(settings, make_parties(rows, 5), seed=2)
    central = train_centrally(settings, rows, seed=2)
    assert sum(r.is_mode for r in result.rounds) > 5 and not any(r.is_lost for r in result.rounds)
    assert all(r.rows == pytest.approx(14, abs=1e-5) for r in result.rounds)
    assert result.machine.vector() == pytest.approx(central.vector(), abs=1e-4)


def test_parties_drop_out_and_come_back():
    rng = np.random.default_rng(4)
    # One picture with a tenth of its pixels wrong, so that a few rounds show.
    rows = (rng.random((20, 9)) < np.where(rng.random(9) < 0.5, 0.9, 0.1)).astype(float)
    drawn = rng.random((51, 5, 4))
    chance = {"hello": 0.15, "share": 0.03, "input": 0.15, "unmask": 0.03}
    absent = lambda number, stage, party: drawn[number, party, list(chance).index(stage)] < chance[stage]
    seen = []
    settings = federation(rounds=50, rows=20, schedule=None, learning_rate=(0.2, 0.2))
    result = train(settings, make_parties(rows, 5), absent=absent, seed=2, monitor=lambda m, r: seen.append(r.number))
    assert seen == list(range(1, 51))
    assert 0 < sum(r.is_lost for r in result.rounds) < 25
    assert any(r.answers < r.members for r in result.rounds if not r.is_lost)
    start = settings.trainer(None, None, 2).machine
    score = lambda m: float(-m.free_energy(rows).mean() - m.log_partition())
    assert score(result.machine) > score(start) + 1.0


def test_agreements_that_make_no_sense_are_refused():
    for bad in ({"mode_use": "weigh"}, {"rate": 0.0}, {"clip": 0.0}, {"members_min": 6}, {"rounds": 0}):
        with pytest.raises(ValueError):
            federation(**bad)


def test_too_few_parties_lose_the_round_and_change_nothing():
    rows = bars_and_stripes(3)
    settings = federation(rounds=3, schedule=None)
    result = train(settings, make_parties(rows, 5), absent=lambda number, stage, party: party > 1, seed=2)
    assert all(r.is_lost for r in result.rounds)
    assert (result.machine.vector() == settings.trainer(None, None, 2).machine.vector()).all()


def test_a_party_keeps_to_its_own_rules():
    settings = federation()
    party = make_parties(bars_and_stripes(3), 5)[0]
    grid = LocalGrid({0: client_app(lambda _: party, settings)})

    def share(number, members):
        content = RecordDict({"round": ConfigRecord({"round": number, "members": members})})
        return list(grid.send_and_receive([Message(content, 0, "train.share", group_id="1")]))

    with pytest.raises(ValueError, match="too small"):
        share(1, [0, 1])
    assert len(share(2, [0, 1, 2])) == 1
    for number in (1, 2):
        with pytest.raises(ValueError, match="comes after"):
            share(number, [0, 1, 2])


def test_noise_of_all_parties_together_is_what_was_promised():
    privacy = Privacy(noise=2.0)
    settings = federation(privacy=privacy, clip=3.0, rate=0.5)
    rng = np.random.default_rng(0)
    machine = Machine.random(np.full(9, 0.5), 8, rng)
    reference = machine.statistics(bars_and_stripes(3))
    empty = [Party(i, np.zeros((0, 9)), Identity(bytes(32)), {}, seed=i) for i in range(3)]
    sums = [
        sum(p.contribution(settings, machine, reference, number, share=3) for p in empty) * settings.scale
        for number in range(300)
    ]
    assert (np.array(sums)[:, -1] == 0).all()
    assert np.std(np.array(sums)[:, :-1]) == pytest.approx(2.0 * 3.0, rel=0.02)


def test_epsilon():
    # Without sampling one Gaussian release of multiplier s has, by Renyi divergences a / (2 s^2), an epsilon of at most
    # 1 / (2 s^2) + sqrt(2 log(1 / delta)) / s (Mironov 2017, proposition 3, at the best order).
    for noise in (1.0, 4.0):
        bound = 1 / (2 * noise**2) + math.sqrt(2 * math.log(1e5)) / noise
        assert 0.5 * bound < epsilon(noise, 1.0, 1, 1e-5) <= bound + 1e-6
    assert epsilon(1.0, 0.1, 100, 1e-5) < epsilon(1.0, 0.2, 100, 1e-5) < epsilon(1.0, 0.2, 200, 1e-5)
    assert epsilon(1.0, 0.1, 0, 1e-5) == 0
    noise = noise_for(4.0, 0.2, 200, 1e-5)
    assert epsilon(noise, 0.2, 200, 1e-5) <= 4.0 < epsilon(0.99 * noise, 0.2, 200, 1e-5)


def test_private_training_reports_its_epsilon():
    settings = federation(rounds=5, rate=0.5, privacy=Privacy(1.0), clip=3.0, schedule=None)
    result = train(settings, make_parties(bars_and_stripes(3), 5), seed=2)
    assert result.epsilon == pytest.approx(epsilon(1.0, 0.5, 5, 1e-5))
    assert np.isfinite(result.machine.vector()).all()
