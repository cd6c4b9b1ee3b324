"""The two Flower apps of federated training, and both in one process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from flwr.app import Array as FlowerArray
from flwr.app import ArrayRecord, ConfigRecord, Context, Message, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp
from flwr.supercore.task_identity import TaskIdentity

from hysteron.ml._sampling import Array
from hysteron.ml.boltzmann import Machine, ModeFinder, ModeSchedule, ModeUse, Negative, Trainer
from hysteron.ml.federated import secure
from hysteron.ml.federated.privacy import Privacy, epsilon
from hysteron.ml.federated.secure import Identity, Member, Roster, Words
from hysteron.ml.rbm import MODE_STEPS

_ROUND = "round"
_SECRETS = "hysteron.secrets"


@dataclass(frozen=True)
class Federation:
    """What all agree on before: the machine's size, the schedule, and what leaves a party.

    Attributes:
        visible, hidden: Units.
        rounds: Updates.
        rate: Probability with which a party takes each of its rows into a round's batch.
        rows: About how many rows all parties have together: a public number, which need not be exact. It is the scale of
            sums, and with `privacy` takes the place of the true number of rows in a batch.
        parties: How many there are.
        clip: Greatest length of a row's difference of statistics; longer ones are shortened.
        learning_rate: Of the first and of the last update.
        weight_decay, gibbs_steps, chains: Of the server's side, as in `hysteron.ml.ModeAssistedRBM`.
        schedule: When a round is one against the mode; None for never.
        mode_use, mode_factor: What is done with a mode, and what the rate of those is multiplied by.
        centred: Whether steps go along the centred gradient.
        privacy: Noise, or None: then the parties' rows are protected by aggregation alone, and clipping bounds their influence.
        members_min: A party takes part in no round of fewer members.
    """

    visible: int
    hidden: int
    rounds: int
    rate: float
    rows: int
    parties: int
    clip: float = 25.0
    learning_rate: tuple[float, float] = (0.05, 0.05)
    weight_decay: float = 0.0
    gibbs_steps: int = 1
    chains: int = 100
    schedule: ModeSchedule | None = field(default_factory=ModeSchedule)
    mode_use: ModeUse = "replace"
    mode_factor: float = 1.0
    centred: bool = True
    privacy: Privacy | None = None
    members_min: int = 3

    def __post_init__(self) -> None:
        if not 0 < self.rate <= 1 or not self.clip > 0 or self.rows < 1 or self.rounds < 1:
            raise ValueError("rate is from 0 to 1, clip positive, rows and rounds at least 1")
        if self.mode_use == "weigh":
            raise ValueError("modes are weighed beside data, which the server has not: replace, add or seed")
        if not 2 <= self.members_min <= self.parties <= secure.MEMBERS_MAX:
            raise ValueError(f"members_min is from 2 to parties, parties at most {secure.MEMBERS_MAX}")

    @property
    def scale(self) -> float:
        """Rows of a party's usual batch; sums are sent in this unit."""
        return max(self.rate * self.rows / self.parties, 1.0)

    def trainer(self, sampler: Any, options: Mapping[str, Any] | None, seed: int | None) -> Trainer:
        """The server's side: a machine without knowledge, random chains."""
        rng = np.random.default_rng(seed)
        machine = Machine.random(np.full(self.visible, 0.5), self.hidden, rng)
        if options is None:
            options = {"steps": MODE_STEPS} if sampler is None else {}
        return Trainer(
            machine,
            self.rounds,
            (rng.random((self.chains, self.visible)) < 0.5).astype(np.float64),
            method="pcd",
            gibbs_steps=self.gibbs_steps,
            rates=self.learning_rate,
            weight_decay=self.weight_decay,
            schedule=self.schedule,
            finder=None if self.schedule is None else ModeFinder(sampler, options, int(rng.integers(2**62))),
            mode_use=self.mode_use,
            mode_factor=self.mode_factor,
            centred=self.centred,
            rows=self.rows,
            rng=rng,
        )


@dataclass(frozen=True)
class Party:
    """What a party has, and shows nobody.

    Attributes:
        number: Its number in the roster.
        rows: Visible states, rows; with classes for instance features beside one unit for each class.
        identity: Its long-lived key.
        roster: Public keys of all parties, this one included.
        seed: For tests and comparisons; unless given, batches and noise come from the operating system's entropy,
            which `Privacy` needs.
    """

    number: int
    rows: Array
    identity: Identity
    roster: Roster
    seed: int | None = None

    def contribution(self, federation: Federation, machine: Machine, reference: Machine, number: int, share: int) -> Array:
        """The clipped sum over a random batch, in units of `Federation.scale`, and the number of rows in it.

        With privacy noise is added, such that `share` contributions have what is promised, and the number is left out.
        """
        rng = np.random.default_rng(None if self.seed is None else [self.seed, self.number, number])
        batch = self.rows[rng.random(len(self.rows)) < federation.rate]
        total, rows = clipped_sum(machine, batch, reference, federation.clip), float(len(batch))
        if federation.privacy is not None:
            deviation = federation.privacy.noise * federation.clip / np.sqrt(share)
            total, rows = total + rng.normal(0.0, deviation, size=len(total)), 0.0
        return np.append(total, rows) / federation.scale


def clipped_sum(machine: Machine, rows: Array, reference: Machine, clip: float) -> Array:
    """Sum over rows of (statistics of the row less `reference`), as a vector, each difference no longer than `clip`.

    The length of a row's difference of v_i p_j, v_i and p_j is found without writing the difference down.
    """
    p = machine.hidden_probabilities(rows)
    squares = (
        (rows**2).sum(axis=1) * (p**2).sum(axis=1)
        - 2 * np.einsum("ni,ij,nj->n", rows, reference.weights, p, optimize=True)
        + (reference.weights**2).sum()
        + ((rows - reference.visible) ** 2).sum(axis=1)
        + ((p - reference.hidden) ** 2).sum(axis=1)
    )
    # Rounding may leave a vanishing square below zero.
    lengths = np.sqrt(np.maximum(squares, 1e-12))
    factors = np.minimum(1.0, clip / lengths)
    weighted = rows * factors[:, None]
    total = Machine(weighted.T @ p, weighted.sum(axis=0), factors @ p)
    return total.plus(reference, -float(factors.sum())).vector()


def client_app(load: Callable[[Context], Party], federation: Federation) -> ClientApp:
    """A party's Flower app. `load` says what the party has; `federation` is its own copy, so that no server loosens it."""
    app = ClientApp()

    @app.query("hello")  # type: ignore[untyped-decorator]
    def hello(message: Message, context: Context) -> Message:
        return _reply(message, {"number": load(context).number})

    @app.train("share")  # type: ignore[untyped-decorator]
    def share(message: Message, context: Context) -> Message:
        party = load(context)
        config = message.content.config_records[_ROUND]
        number, members = cast(int, config["round"]), tuple(cast("list[int]", config["members"]))
        if _SECRETS in context.state.config_records:
            # A round that comes twice could ask for both kinds of pieces.
            last = cast(int, context.state.config_records[_SECRETS]["round"])
            if number <= last:
                raise ValueError(f"round {number} comes after round {last}")
        if len(members) < federation.members_min:
            raise ValueError(f"a round of {len(members)} members is too small")
        member = Member(party.number, party.identity, party.roster, number, members)
        sealed = member.share()
        _keep(context, member)
        return _reply(message, {"to": list(sealed), "sealed": list(sealed.values())})

    @app.train("input")  # type: ignore[untyped-decorator]
    def masked(message: Message, context: Context) -> Message:
        party = load(context)
        member = _member(context, party)
        config = message.content.config_records[_ROUND]
        arrays = message.content.array_records["model"]
        machine, reference = (
            Machine.of(arrays[name].numpy(), federation.visible, federation.hidden) for name in ("machine", "reference")
        )
        share = secure.threshold(len(member.members))
        values = party.contribution(federation, machine, reference, member.round, share)
        sealed = dict(zip(cast("list[int]", config["from"]), cast("list[bytes]", config["sealed"]), strict=True))
        words = member.mask(sealed, secure.to_words(values))
        _keep(context, member)
        arrays = ArrayRecord({"words": FlowerArray(words)})
        return _reply(message, {"public": member.public}, arrays)

    @app.train("unmask")  # type: ignore[untyped-decorator]
    def unmask(message: Message, context: Context) -> Message:
        member = _member(context, load(context))
        pieces = member.reveal(cast("list[int]", message.content.config_records[_ROUND]["survivors"]))
        _keep(context, member)
        index, piece = [p[0] for p in pieces.values()], [p[1] for p in pieces.values()]
        return _reply(message, {"of": list(pieces), "index": index, "piece": piece})

    return app


def _reply(message: Message, config: dict[str, Any], arrays: ArrayRecord | None = None) -> Message:
    content = RecordDict({_ROUND: ConfigRecord(config)})
    if arrays is not None:
        content["model"] = arrays
    return Message(content, reply_to=message)


def _keep(context: Context, member: Member) -> None:
    context.state[_SECRETS] = ConfigRecord({"round": member.round, "state": member.state()})


def _member(context: Context, party: Party) -> Member:
    state = cast(str, context.state.config_records[_SECRETS]["state"])
    return Member.resume(state, party.number, party.identity, party.roster)


@dataclass
class Round:
    """What the server saw of one round."""

    number: int
    members: int
    answers: int
    rows: float
    is_mode: bool
    is_lost: bool


@dataclass
class Result:
    """Of a training.

    Attributes:
        machine: What was learned.
        rounds: One entry each.
        epsilon: With privacy, of all rounds, lost ones included (a lost round showed nothing, but that is not relied on).
    """

    machine: Machine
    rounds: list[Round]
    epsilon: float | None


#: Called after each round with the machine and what the server saw.
Monitor = Callable[[Machine, Round], object]


def server_app(
    federation: Federation,
    *,
    sampler: Any = None,
    sampler_options: Mapping[str, Any] | None = None,
    seed: int | None = None,
    monitor: Monitor | None = None,
    done: Callable[[Result], object] | None = None,
    timeout: float | None = 60.0,
) -> ServerApp:
    """The server's Flower app.

    Args:
        federation: What was agreed on.
        sampler, sampler_options: Of modes, as in `hysteron.ml.ModeAssistedRBM`: chips of this machine, or of the network.
        seed: Of the machine's start, the chains and the sampler.
        monitor: Called after each round.
        done: Called with the result, which is also left in the context's state as the array record "machine".
        timeout: Seconds that each exchange waits for parties; who is later is out of this round, and may join the next.
    """
    app = ServerApp()

    @app.main()  # type: ignore[untyped-decorator]
    def main(grid: Grid, context: Context) -> None:
        trainer = federation.trainer(sampler, sampler_options, seed)
        rounds = []
        for number in range(1, federation.rounds + 1):
            negative = trainer.negative()
            seen = _round(federation, grid, number, trainer, negative, timeout)
            rounds.append(seen)
            if monitor is not None:
                monitor(trainer.machine, seen)
        spent = None
        if federation.privacy is not None:
            private = federation.privacy
            spent = epsilon(private.noise, federation.rate, federation.rounds, private.delta)
        context.state["machine"] = ArrayRecord({"vector": FlowerArray(trainer.machine.vector())})
        if done is not None:
            done(Result(trainer.machine, rounds, spent))

    return app


def _round(
    federation: Federation, grid: Grid, number: int, trainer: Trainer, negative: Negative, timeout: float | None
) -> Round:
    """One update, or none where too few parties answer."""

    def ask(action: str, contents: Mapping[int, RecordDict]) -> dict[int, RecordDict]:
        """Sends to nodes, and gives the answers of those that did answer."""
        messages = [Message(content, node, action, group_id=str(number)) for node, content in contents.items()]
        answers = grid.send_and_receive(messages, timeout=timeout)
        return {answer.metadata.src_node_id: answer.content for answer in answers if not answer.has_error()}

    seen = Round(number, 0, 0, 0.0, negative.is_mode, True)
    hello = ask("query.hello", {node: RecordDict() for node in grid.get_node_ids()})
    party_of = {node: cast(int, content.config_records[_ROUND]["number"]) for node, content in hello.items()}
    members = sorted(party_of.values())
    seen.members = len(members)
    if len(members) >= federation.members_min:
        total = _sum(federation, ask, number, trainer.machine, negative, party_of, members, seen)
        rows = seen.rows
        if federation.privacy is not None:
            rows = federation.rate * federation.rows * seen.answers / federation.parties
        if total is not None and rows >= 1:
            difference = Machine.of(total[:-1] * federation.scale / rows, federation.visible, federation.hidden)
            trainer.apply(negative.statistics.plus(difference, 1.0), negative)
            seen.is_lost = False
            return seen
    trainer.skip()
    return seen


def _sum(
    federation: Federation,
    ask: Callable[[str, Mapping[int, RecordDict]], dict[int, RecordDict]],
    number: int,
    machine: Machine,
    negative: Negative,
    party_of: Mapping[int, int],
    members: list[int],
    seen: Round,
) -> Array | None:
    """The parties' sum; None where too few answer."""
    least = secure.threshold(len(members))
    config = ConfigRecord({"round": number, "members": members})
    shared = ask("train.share", {node: RecordDict({_ROUND: config}) for node in party_of})
    if len(shared) < least:
        return None
    inbox: dict[int, dict[int, bytes]] = {party_of[node]: {} for node in shared}
    for node, content in shared.items():
        record = content.config_records[_ROUND]
        for receiver, sealed in zip(cast("list[int]", record["to"]), cast("list[bytes]", record["sealed"]), strict=True):
            if receiver in inbox:
                inbox[receiver][party_of[node]] = sealed
    model = ArrayRecord(
        {"machine": FlowerArray(machine.vector()), "reference": FlowerArray(negative.statistics.vector())}
    )
    contents = {}
    for node in shared:
        parts = inbox[party_of[node]]
        record = ConfigRecord({"from": list(parts), "sealed": list(parts.values())})
        contents[node] = RecordDict({_ROUND: record, "model": model})
    answers = ask("train.input", contents)
    seen.answers = len(answers)
    if len(answers) < least:
        return None
    masked: dict[int, Words] = {}
    publics: dict[int, bytes] = {}
    for node, content in answers.items():
        masked[party_of[node]] = content.array_records["model"]["words"].numpy()
        publics[party_of[node]] = cast(bytes, content.config_records[_ROUND]["public"])
    survivors = ConfigRecord({"survivors": list(masked)})
    pieces = ask("train.unmask", {node: RecordDict({_ROUND: survivors}) for node in answers})
    if len(pieces) < least:
        return None
    revealed = {}
    for node, content in pieces.items():
        record = content.config_records[_ROUND]
        found = zip(cast("list[int]", record["index"]), cast("list[bytes]", record["piece"]), strict=True)
        revealed[party_of[node]] = dict(zip(cast("list[int]", record["of"]), found, strict=True))
    total = secure.to_values(secure.unmask(masked, revealed, inbox, publics, len(members), number))
    seen.rows = float(total[-1] * federation.scale)
    return total


#: Whether a party does not answer: of round, stage ("hello", "share", "input", "unmask") and party.
Absent = Callable[[int, str, int], bool]


class LocalGrid(Grid):  # type: ignore[misc]
    """Flower's grid with every party in this process, one after the other, some of them absent at times."""

    def __init__(self, apps: Mapping[int, ClientApp], absent: Absent | None = None) -> None:
        self._apps = dict(apps)
        self._contexts = {node: Context(0, node, {"partition-id": node}, RecordDict(), {}) for node in apps}
        self._absent = absent
        self._run: Any = None
        # Flower stamps messages with the task of its runtime, and here is none (flwr 1.42 has no public way to say so).
        for name in ("task_id", "run_id", "node_id"):
            if getattr(TaskIdentity, f"_{name}") is None:
                setattr(TaskIdentity, name, 0)

    def set_run(self, run: Any) -> None:
        """Nothing here depends on it."""
        self._run = run

    @property
    def run(self) -> Any:
        """What `set_run` was given."""
        return self._run

    def create_message(
        self, content: RecordDict, message_type: str, dst_node_id: int, group_id: str, ttl: float | None = None
    ) -> Message:
        """A message to a node."""
        return Message(content, dst_node_id, message_type, group_id=group_id, ttl=ttl)

    def get_node_ids(self) -> Iterable[int]:
        """All nodes, absent ones included."""
        return list(self._apps)

    def push_messages(self, messages: Iterable[Message]) -> Iterable[str]:
        """Not here: see `send_and_receive`."""
        raise NotImplementedError("parties of this process answer at once")

    def pull_messages(self, message_ids: Iterable[str]) -> Iterable[Message]:
        """Not here: see `send_and_receive`."""
        raise NotImplementedError("parties of this process answer at once")

    def send_and_receive(self, messages: Iterable[Message], *, timeout: float | None = None) -> Iterable[Message]:
        """Answers of those that are present; what a party raises is raised."""
        answers = []
        for message in messages:
            node = message.metadata.dst_node_id
            stage = message.metadata.message_type.rsplit(".", 1)[-1]
            if self._absent is None or not self._absent(int(message.metadata.group_id), stage, node):
                answers.append(self._apps[node](message, self._contexts[node]))
        return answers


def train(
    federation: Federation,
    parties: Iterable[Party],
    *,
    sampler: Any = None,
    sampler_options: Mapping[str, Any] | None = None,
    absent: Absent | None = None,
    seed: int | None = None,
    monitor: Monitor | None = None,
) -> Result:
    """Trains over parties that are all in this process, through the same two Flower apps as between machines.

    Args:
        federation: What was agreed on.
        parties: All of them.
        absent: Whether a party fails to answer, by round, stage and party's number; nobody is absent unless given.
        sampler, sampler_options, seed, monitor: As in `server_app`.
    """
    apps = {}
    for party in parties:
        apps[party.number] = client_app(lambda _, party=party: party, federation)  # type: ignore[misc]
    results: list[Result] = []
    server = server_app(
        federation,
        sampler=sampler,
        sampler_options=sampler_options,
        seed=seed,
        monitor=monitor,
        done=results.append,
        timeout=None,
    )
    server(LocalGrid(apps, absent), Context(0, 0, {}, RecordDict(), {}))
    return results[0]


def train_centrally(
    federation: Federation,
    rows: Array,
    *,
    sampler: Any = None,
    sampler_options: Mapping[str, Any] | None = None,
    seed: int | None = None,
) -> Machine:
    """The control: the same updates on the union of all rows, by one who sees them, without clipping, masks and noise."""
    trainer = federation.trainer(sampler, sampler_options, seed)
    rng = np.random.default_rng(seed)
    for _ in range(federation.rounds):
        negative = trainer.negative()
        batch = rows[rng.random(len(rows)) < federation.rate]
        if len(batch):
            trainer.apply(trainer.machine.statistics(batch), negative)
        else:
            trainer.skip()
    return trainer.machine
