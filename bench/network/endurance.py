#!/usr/bin/env python3
"""Five real nodes and eight workers, each in a network namespace of its own: nodes die by SIGKILL and come back, the
network is cut in two and healed, jobs are booked all the while. At the end there must be one chain, no coin lost or
made, every job settled or running, and no node may have needed a hand.

    sudo bench/network/endurance.py --minutes 30 --seed 1

Needs root (namespaces) and iproute2; talks to its own namespaces only. Writes bench/results/endurance.json and .md.
Exit code 0 if all held. Standard library only.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NODES = 5
WORKERS = 8
PREFIX = "hystt"
SUBNET = "10.77.0"
BRIDGES = (f"{PREFIX}br0", f"{PREFIX}br1")
HTTP_PORT = 7341
PEER_PORT = 7340
MINERS = ("miner", "alice", "bob")
"""Seconds that nodes may take to agree once disturbances end, and jobs to settle."""
SETTLE_S_MAX = 600


def sh(*words: str, check: bool = True) -> str:
    done = subprocess.run(words, capture_output=True, text=True)
    if check and done.returncode != 0:
        raise SystemExit(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


class Host:
    """A network namespace with one interface on a bridge."""

    def __init__(self, number: int) -> None:
        self.name = f"{PREFIX}{number}"
        self.link = f"{PREFIX}v{number}"
        self.address = f"{SUBNET}.{number}"

    def make(self) -> None:
        sh("ip", "netns", "add", self.name)
        sh("ip", "link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        self.join(0)
        sh("ip", "link", "set", self.link, "up")
        inside = ("ip", "-n", self.name)
        sh(*inside, "addr", "add", f"{self.address}/24", "dev", "eth0")
        sh(*inside, "link", "set", "eth0", "up")
        sh(*inside, "link", "set", "lo", "up")

    def join(self, side: int) -> None:
        sh("ip", "link", "set", self.link, "master", BRIDGES[side])

    def run(self, command: list[str], log: Path) -> subprocess.Popen[bytes]:
        with log.open("ab") as out:
            return subprocess.Popen(["ip", "netns", "exec", self.name, *command], stdout=out, stderr=out)


def clean() -> None:
    for line in sh("ip", "netns", "list", check=False).splitlines():
        name = line.split()[0] if line.split() else ""
        if name.startswith(PREFIX):
            sh("ip", "netns", "del", name, check=False)
    for bridge in BRIDGES:
        sh("ip", "link", "del", bridge, check=False)


class Network:
    def __init__(self, binary: Path, folder: Path, worker_nice: int) -> None:
        self.binary, self.folder, self.worker_nice = binary, folder, worker_nice
        self.hosts = [Host(1 + i) for i in range(NODES)]
        self.worker_hosts = [Host(101 + i) for i in range(WORKERS)]
        self.nodes: list[subprocess.Popen[bytes] | None] = [None] * NODES
        self.workers: list[subprocess.Popen[bytes]] = []
        self.peer_ids: list[str] = [""] * NODES
        self.restarts = 0

    def make(self) -> None:
        clean()
        for bridge in BRIDGES:
            sh("ip", "link", "add", bridge, "type", "bridge")
            sh("ip", "link", "set", bridge, "up")
        # This process asks the nodes' APIs from the bridge, whichever side they are on.
        sh("ip", "addr", "add", f"{SUBNET}.250/24", "dev", BRIDGES[0])
        for host in self.hosts + self.worker_hosts:
            host.make()

    def start_node(self, i: int) -> None:
        host = self.hosts[i]
        command = [
            str(self.binary), "node", "--data", str(self.folder / f"node{i}"), "--network", "devnet",
            "--http", f"{host.address}:{HTTP_PORT}", "--listen", f"/ip4/{host.address}/tcp/{PEER_PORT}", "--log", "info",
        ]  # fmt: skip
        for k, peer in enumerate(self.peer_ids):
            if peer and k != i:
                command += ["--seed", f"/ip4/{self.hosts[k].address}/tcp/{PEER_PORT}/p2p/{peer}"]
        self.nodes[i] = host.run(command, self.folder / f"node{i}.log")

    def kill_node(self, i: int) -> None:
        # The namespace wrapper execs the node, so this is the node itself.
        node = self.nodes[i]
        assert node is not None
        node.send_signal(signal.SIGKILL)
        node.wait()
        self.nodes[i] = None

    def start_worker(self, k: int) -> None:
        node = k % NODES
        address = sh(str(self.binary), "wallet", "address", "--wallet", f"devnet:{MINERS[k % len(MINERS)]}").split()[-1]
        command = [
            "nice", "-n", str(self.worker_nice), str(self.binary), "worker", "--node", f"http://{self.hosts[node].address}:{HTTP_PORT}",
            "--address", address, "--threads", "1", "--report", "60",
        ]  # fmt: skip
        self.workers.append(self.worker_hosts[k].run(command, self.folder / f"worker{k}.log"))

    def cut(self, side_of_node: list[int]) -> None:
        for i, side in enumerate(side_of_node):
            self.hosts[i].join(side)
            for k in range(WORKERS):
                if k % NODES == i:
                    self.worker_hosts[k].join(side)

    def get(self, i: int, path: str) -> dict | None:
        """From inside the node's own namespace, so that a cut network can still be asked."""
        url = f"http://{self.hosts[i].address}:{HTTP_PORT}{path}"
        code = f"import urllib.request,sys;sys.stdout.buffer.write(urllib.request.urlopen({url!r}, timeout=8).read())"
        done = subprocess.run(
            ["ip", "netns", "exec", self.hosts[i].name, sys.executable, "-S", "-c", code], capture_output=True
        )
        try:
            return json.loads(done.stdout) if done.returncode == 0 else None
        except json.JSONDecodeError:
            return None

    def cli(self, i: int, *words: str) -> subprocess.CompletedProcess[str]:
        """A command of a customer who sits beside node `i`."""
        command = [
            "ip", "netns", "exec", self.hosts[i].name, str(self.binary), *words,
            "--node", f"http://{self.hosts[i].address}:{HTTP_PORT}",
        ]  # fmt: skip
        environment = {**os.environ, "HYSTERON_HOME": str(self.folder / "home")}
        return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)

    def await_node(self, i: int, seconds: float = 60) -> dict:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            status = self.get(i, "/v1/status")
            if status:
                return status
            node = self.nodes[i]
            if node is None or node.poll() is not None:
                raise SystemExit(f"node {i} ended by itself; see {self.folder}/node{i}.log")
            time.sleep(0.2)
        raise SystemExit(f"node {i} does not answer; see {self.folder}/node{i}.log")

    def stop(self) -> None:
        for process in [*self.workers, *(n for n in self.nodes if n)]:
            process.terminate()
        for process in [*self.workers, *(n for n in self.nodes if n)]:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
        clean()


def cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def coins_that_are(supply: dict) -> int:
    """Where all coins are, added up here and not by the node, to be compared with what was issued."""
    return sum(int(supply[name]) for name in ("balances", "immature", "escrow", "pot", "bonds", "burned"))


def say(started: float, text: str) -> None:
    print(f"{time.monotonic() - started:7.1f} s  {text}", flush=True)


def book(net: Network, i: int, rng: random.Random, instance: Path) -> str | None:
    chips, blocks = rng.choice((64, 128, 256)), rng.choice((5, 10, 20))
    words = ["job", "open", str(instance), "--wallet", "devnet:customer", "--chips", str(chips), "--blocks", str(blocks)]
    try:
        done = net.cli(i, *words, "--yes", "--json", "--no-wait")
        return json.loads(done.stdout)["job"] if done.returncode == 0 else None
    except (subprocess.TimeoutExpired, json.JSONDecodeError, KeyError):
        return None


def fund_nodes(net: Network, i: int) -> None:
    """Does for the nodes' operators what the nodes ask for: a node that has no coins cannot put the bond of its workers'
    claims at stake, and says so to them. Coins are sent until they have come: a transfer may die with a node."""
    logs = "".join(path.read_text(errors="replace") for path in net.folder.glob("worker*.log"))
    for address in sorted(set(re.findall(r"The node's account (hysd1\w+) cannot pay", logs))):
        account = net.get(i, f"/v1/accounts/{address}")
        if account and int(account["balance"]) == 0:
            try:
                net.cli(i, "wallet", "send", address, "5", "--wallet", "devnet:bob", "--yes", "--no-wait")
            except subprocess.TimeoutExpired:
                continue


def all_jobs(net: Network, i: int) -> list[dict]:
    jobs: list[dict] = []
    after = ""
    while True:
        page = net.get(i, f"/v1/jobs?count=100{after}") or {"jobs": [], "next": None}
        jobs += page["jobs"]
        if not page.get("next"):
            return jobs
        after = f"&after={page['next']}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--binary", type=Path, default=ROOT / "target/release/hysteron")
    parser.add_argument("--results", type=Path, default=ROOT / "bench/results")
    parser.add_argument("--worker-nice", type=int, default=0, help="added to the workers' niceness, on a shared machine")
    parser.add_argument("--conditions", default="", help="what else went on on the machine, for the results")
    parser.add_argument("--commit", default=sh("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD", check=False).strip())
    parser.add_argument("--keep", action="store_true", help="leave the nodes' data and logs")
    args = parser.parse_args()
    if os.geteuid() != 0:
        parser.error("network namespaces need root")
    rng = random.Random(args.seed)
    folder = Path(tempfile.mkdtemp(prefix="hysteron-endurance-"))
    net = Network(args.binary.resolve(), folder, args.worker_nice)
    started = time.monotonic()
    kills, booked, failed, partitions = 0, [], 0, 0
    load_at_start = os.getloadavg()[0]
    instance = folder / "instance.cnf"
    sh(str(net.binary), "generate", "uniform-sat", "variables=300", "clauses=1350", "--seed", "7", "-o", str(instance))
    problems: list[str] = []
    try:
        net.make()
        for i in range(NODES):
            net.start_node(i)
            net.await_node(i)
            net.peer_ids[i] = (net.get(i, "/v1/peers") or {})["peer"]
        for k in range(WORKERS):
            net.start_worker(k)
        say(started, f"{NODES} nodes, {WORKERS} workers, logs in {folder}, seed {args.seed}")
        duration = args.minutes * 60
        cuts = [(0.3, 0.4), (0.6, 0.7)]
        is_cut = False
        next_kill, next_job, next_line = 40.0, 15.0, 0.0
        while (now := time.monotonic() - started) < duration:
            wanted = any(a * duration <= now < b * duration for a, b in cuts)
            if wanted != is_cut:
                is_cut = wanted
                sides = [0] * NODES
                if wanted:
                    for i in rng.sample(range(NODES), rng.choice((1, 2))):
                        sides[i] = 1
                    partitions += 1
                net.cut(sides)
                say(started, f"network cut: {sides}" if wanted else "network healed")
            if now >= next_kill and now < duration - 60:
                i = rng.randrange(NODES)
                net.kill_node(i)
                kills += 1
                down_s = rng.uniform(1, 15)
                say(started, f"node {i} killed for {down_s:.0f} s")
                time.sleep(down_s)
                net.start_node(i)
                net.await_node(i)
                next_kill = time.monotonic() - started + rng.uniform(20, 60)
            if now >= next_job and now < duration * 0.9:
                job = book(net, rng.randrange(NODES), rng, instance)
                booked += [job] if job else []
                failed += job is None
                next_job = now + rng.uniform(20, 60)
            if now >= next_line:
                heights = [(net.get(i, "/v1/status") or {}).get("height") for i in range(NODES)]
                say(started, f"heights {heights}, {len(booked)} jobs booked, {kills} kills")
                fund_nodes(net, rng.randrange(NODES))
                next_line = now + 30
            time.sleep(0.5)
        net.cut([0] * NODES)
        say(started, "quiet: waiting for one chain and settled jobs")
        end = time.monotonic() + SETTLE_S_MAX
        agreed, jobs = False, []
        while time.monotonic() < end:
            statuses = [net.get(i, "/v1/status") for i in range(NODES)]
            common = min((s["height"] for s in statuses if s), default=0) - 1
            blocks = [net.get(i, f"/v1/blocks/{common}") for i in range(NODES)]
            heads = {(b["header"]["hash"], b["header"]["state_root"]) for b in blocks if b}
            agreed = all(statuses) and all(blocks) and len(heads) == 1
            jobs = all_jobs(net, 0)
            open_states = {j["state"] for j in jobs} - {"settled"}
            if agreed and not open_states:
                break
            time.sleep(2)
        supplies = [net.get(i, "/v1/supply") for i in range(NODES)]
        if not agreed:
            problems.append("the nodes do not agree on one chain")
        for i, supply in enumerate(supplies):
            if not supply or not supply.get("is_conserved") or coins_that_are(supply) != int(supply["issued"]):
                problems.append(f"coins of node {i}: {supply}")
        states = {j["id"]: j["state"] for j in jobs}
        outcomes: dict[str, int] = {}
        for job in jobs:
            outcomes[str(job.get("outcome"))] = outcomes.get(str(job.get("outcome")), 0) + 1
            if job["state"] not in ("settled", "running", "waiting"):
                problems.append(f"job {job['id']} is {job['state']}")
        # A booking that was only in the memory of a node that died is the customer's to repeat; one that is on the chain is not.
        lost = [j for j in booked if j not in states]
        heights = [(net.get(i, "/v1/status") or {}).get("height") for i in range(NODES)]
        log = "".join(path.read_text(errors="replace") for path in folder.glob("node*.log"))
        log = re.sub(r"\x1b\[[0-9;]*m", "", log)
        if "panicked" in log:
            problems.append("a node panicked")
        result = {
            "minutes": args.minutes, "seed": args.seed, "nodes": NODES, "workers": WORKERS, "kills": kills,
            "partitions": partitions, "heights": heights, "one_chain": agreed, "jobs_on_chain": len(jobs),
            "jobs_by_outcome": outcomes, "bookings_not_taken": failed, "bookings_lost_with_a_killed_node": len(lost),
            "reorganisations": len(re.findall(r"new tip .*\bleft=[1-9]", log)),
            "jobs_with_an_answer": sum(j["progress"]["best_energy"] is not None for j in jobs),
            "supply": supplies[0], "problems": problems,
            "machine": f"{cpu_model()}, {os.cpu_count()} cores, Linux {platform.release()}",
            "commit": args.commit, "conditions": args.conditions,
            "load_average": {"at the start": load_at_start, "at the end": os.getloadavg()[2]},
        }  # fmt: skip
        args.results.mkdir(parents=True, exist_ok=True)
        (args.results / "endurance.json").write_text(json.dumps(result, indent=1) + "\n")
        rows = "\n".join(f"| {key.replace('_', ' ')} | {value} |" for key, value in result.items())
        (args.results / "endurance.md").write_text(
            f"# Endurance of a network\n\nMade by `bench/network/endurance.py`.\n\n| what | figure |\n|---|---|\n{rows}\n"
        )
        say(started, "held" if not problems else "BROKEN: " + "; ".join(problems))
        print(json.dumps(result, indent=1))
        return 0 if not problems else 1
    finally:
        net.stop()
        if not args.keep and not problems:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
