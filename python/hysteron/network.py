"""Jobs on the network: book chips for a problem, wait, fetch the answer and the receipt."""

from __future__ import annotations

import os
import time as clock
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from hysteron import _native
from hysteron._native import verify_receipt
from hysteron._search import Progress, Teller, check_count

__all__ = ["Booking", "Outcome", "verify_receipt"]

# Blocks of the network within which an opened job must be in a block, and a node's silence that is borne.
WAIT_BLOCKS = 60
SILENCE_S = 60.0


@dataclass(frozen=True)
class Booking:
    """What is booked for every problem, and who pays.

    Attributes:
        node: URL of a node.
        wallet: File of a wallet made by `hysteron wallet create`, or on a devnet "devnet:NAME".
        password: Of the wallet; $HYSTERON_PASSWORD unless given. A devnet's accounts have none.
        chips: Chips that search side by side.
        blocks: Blocks for which they are booked.
        max_price: Most HYS that price and bounty may be; what is quoted unless given.
        bounty: Bounty for miners who improve the answer, in per cent of the price.
        blind: Whether variables are permuted and turned round before the problem leaves the machine.
    """

    node: str
    wallet: str
    password: str | None = None
    chips: int = 256
    blocks: int = 20
    max_price: Decimal | int | str | None = None
    bounty: int = 10
    blind: bool = False

    def __post_init__(self) -> None:
        check_count("chips", self.chips)
        check_count("blocks", self.blocks, most=2**32 - 1)
        if not 0 <= self.bounty <= 1000:
            raise ValueError(f"bounty is {self.bounty!r}: it is a percentage from 0 to 1000")
        if isinstance(self.max_price, float):
            raise ValueError("max_price is a float: give HYS as a string, an int or a Decimal, which are exact")


@dataclass
class Outcome:
    """What the network found: one row of 0 and 1, or none, and what is known of the job."""

    bits: npt.NDArray[np.uint8] | None
    info: dict[str, Any]


def run(
    problem: _native.Problem,
    booking: Booking,
    *,
    target: int | None,
    time: float | None,
    progress: bool | Progress,
    factor: float,
    offset: float,
) -> Outcome:
    """Books a problem and waits until its search is over, `time` seconds have gone, or Ctrl-C; then a job that still runs
    is cancelled, and what is not used comes back."""
    begin = clock.perf_counter()
    node = _native.Node(booking.node)
    order = node.prepare(problem, booking.blind)
    solved = order.solved()
    if solved is not None:
        return Outcome(solved, {"status": "optimal", "source": "presolve", "job": None})
    password = booking.password if booking.password is not None else os.environ.get("HYSTERON_PASSWORD", "")
    job, escrow = node.book(
        order,
        wallet=booking.wallet,
        password=password,
        chips=booking.chips,
        blocks=booking.blocks,
        bounty_per_mille=booking.bounty * 10,
        max_price=None if booking.max_price is None else str(booking.max_price),
        target=target,
    )
    interrupted = False
    with Teller(progress, None, factor, offset) as teller:
        try:
            state = _follow(node, order, job, begin, time, teller)
        except KeyboardInterrupt:
            interrupted = True
            state = _state(node, order, job)
    cancelled = False
    if state is not None and not state["is_over"]:
        # The search may end by itself in this moment.
        try:
            node.cancel(job, booking.wallet, password)
            cancelled = True
        except (ValueError, RuntimeError):
            cancelled = False
    answer = None if state is None else node.answer(order, job)
    info = {
        "status": "feasible" if answer is not None else "unknown",
        "source": f"network {node.network}",
        "job": job,
        "state": None if state is None else state["state"],
        "credited_chip_blocks": 0 if state is None else state["credited_chip_blocks"],
        "booked_chip_blocks": booking.chips * booking.blocks,
        "escrow": escrow,
        "paid": None if state is None else state["paid"],
        "height": None if answer is None else answer[1],
        "receipt": None if state is None else node.receipt(job),
        "blind": booking.blind,
        "interrupted": interrupted,
        "cancelled": cancelled,
    }
    return Outcome(None if answer is None else answer[0], info)


def _state(node: _native.Node, order: _native.Order, job: str) -> dict[str, Any] | None:
    try:
        return node.job(order, job)
    except ConnectionError:
        return None


def _follow(
    node: _native.Node, order: _native.Order, job: str, begin: float, time: float | None, teller: Teller
) -> dict[str, Any] | None:
    """The job's last state that was heard."""
    heard = clock.perf_counter()
    patience = WAIT_BLOCKS * node.spacing
    state: dict[str, Any] | None = None
    while True:
        now = clock.perf_counter()
        try:
            state = node.job(order, job) or state
            heard = now
        except ConnectionError:
            # A node may be started again.
            if now - heard > SILENCE_S:
                raise
        if state is None and now - begin > patience:
            raise TimeoutError(f"job {job} was not in a block within {patience} seconds; it may still be, see its id")
        if state is not None:
            if teller.call is not None:
                teller.call(now - begin, state["best"], state["credited_chip_blocks"])
            if state["is_over"]:
                return state
        if time is not None and now - begin > time:
            return state
        clock.sleep(node.pause if time is None else min(node.pause, max(time - (now - begin), 0.01)))
