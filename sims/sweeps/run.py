"""Run a sweep file into a result folder, or continue one: compute what its plan finds missing, then write all rows."""

import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sims.running.files import StoreError
from sims.running.machine import Crew, ResourceError, Resources, cores, find_device, free_memory
from sims.running.progress import progress
from sims.running.sealed import digest
from sims.sweeps.jobs import DiskError, Execute, Job, Work
from sims.sweeps.outlook import Outlook, content, plan
from sims.sweeps.processes import execute, execute_here
from sims.sweeps.program import check_same, others, program
from sims.sweeps.receipt import FORMAT, done_seeds
from sims.sweeps.store import DTYPE, Store, versions
from sims.sweeps.tables import SweepConfig
from theory.errors import InputError

EVERYTHING = Resources()


@dataclass(frozen=True)
class Outcome:
    """What a sweep did."""

    store: Store
    computed: int
    found: int
    set_aside: tuple[Job, ...]


def hire(outlook: Outlook, resources: Resources) -> tuple[Crew, str]:
    """The workers that a sweep will have, and a line where memory makes them fewer than asked for.

    Raises ResourceError where there is no such device, or where one worker alone does not fit into the memory, and
    ValueError for more workers than GPUs.
    """
    if resources.remote:
        return Crew(1, "gpu" if resources.device == "gpu" else "cpu"), ""
    device, gpus = find_device(resources.device)
    workers = resources.workers or len(gpus) or cores()
    if gpus and workers > len(gpus):
        raise InputError(f"workers = {workers}: there is one per GPU, and {len(gpus)} of them; use fewer")
    workers = max(1, min(workers, len(outlook.chunks)))
    if device == "gpu" or not outlook.chunks:  # trials lie in the GPU's own memory, which the worker asks for
        return Crew(workers, device, gpus), ""
    fit, line = _fitting(outlook, resources, workers)
    return Crew(fit, device), line


def _fitting(outlook: Outlook, resources: Resources, workers: int) -> tuple[int, str]:
    """How many of the workers fit into the memory together, and a line where that is not all of them."""
    free = free_memory()
    if resources.memory is None and free is None:
        return workers, ""
    budget = resources.memory or (free or 0) // 2
    source = "--memory" if resources.memory else "half of what is free; --memory sets another"
    shape = max({chunk.shape for chunk in outlook.chunks}, key=lambda shape: shape.worker_bytes)
    each = shape.worker_bytes
    needs = f"a worker with n = {shape.n}, d = {shape.d} takes about {each / 1e9:.3g} GB"
    if each > budget:
        remedy = "give it more, or make problem.d or problem.alpha smaller"
        raise ResourceError(f"{needs}, and there are {budget / 1e9:.3g} GB ({source}); {remedy}")
    fit = min(workers, budget // each)
    line = f"{fit} of {workers} workers: {needs}, and there are {budget / 1e9:.3g} GB ({source})"
    return fit, line if fit < workers else ""


def run(
    config: SweepConfig, out: str | Path, resources: Resources = EVERYTHING, outlook: Outlook | None = None
) -> Outcome:
    """Run a sweep, or what is missing of it, and write the table of raw rows.

    Args:
        config: from `sims.sweeps.config.load` or `parse`.
        out: result folder or fsspec URL; created, or continued. What lies in memory:// is computed in this process.
        resources: workers, memory, device, cluster. A program that asks for a cluster of this machine needs
            ``if __name__ == "__main__"``, since its workers are spawned.
        outlook: what `sims.sweeps.outlook.plan` just said of these two; asked for here by default.

    Returns:
        `Outcome`; ``set_aside`` holds chunks that failed three times (then no rows.parquet is written).

    Raises:
        StoreError: a folder of another configuration, or one that cannot be written.
        ResourceError: no such device, or too little memory.
        ClusterError: a cluster that cannot be reached or cannot compute this sweep.
    """
    outlook = plan(config, out) if outlook is None else outlook
    crew, _ = hire(outlook, resources)
    store = Store(out)
    with _executor(store, crew, resources, outlook) as compute, _explained(store):
        same = _continued(store, outlook, crew)
        store.create()
        store.files.discard_leftovers()
        devices = {crew.device, *(receipt.device for receipt in outlook.receipts)}
        manifest = _manifest(config, devices) | {"same": same}
        store.write_manifest(manifest)
        failed: list[Job] = []
        if outlook.chunks:
            with progress("simulating", outlook.missing, "trials") as advance:
                work = Work(outlook.chunks, outlook.cells, store.root, config.run.root_seed)
                failed = compute(work, lambda chunk: advance(chunk.trials))
        if not failed:
            finish(store, outlook, manifest)
    return Outcome(store, outlook.missing, outlook.trials - outlook.missing, tuple(failed))


def _continued(store: Store, outlook: Outlook, crew: Crew) -> list[str]:
    """Other states of the program whose rows come out the same by this one, as those of the manifest did.

    Where there is something to compute, some of their trials are computed again, and what was found is said. Raises
    StoreError where they come out otherwise.
    """
    manifest = store.read_manifest()
    new = others(outlook.receipts, manifest)
    if new and outlook.chunks:
        print(f"note: {check_same(store, outlook.cells, new, crew)}", file=sys.stderr)
    elif new:
        return []  # nothing is mixed, and nothing is known
    return sorted({receipt.program for receipt in outlook.receipts} - {program()})


@contextmanager
def _executor(store: Store, crew: Crew, resources: Resources, outlook: Outlook) -> Iterator[Execute]:
    """What computes: worker processes, Dask, or this process where it alone sees the store."""
    if resources.scheduler is not None and outlook.chunks:
        from sims.sweeps import cluster

        if store.files.private:
            raise StoreError(f"{store.root} is seen by this process alone, not by a cluster; give a folder or a bucket")
        with cluster.executor(crew, resources.scheduler if resources.remote else None) as compute:
            yield compute
    elif store.files.private:
        yield execute_here
    else:
        yield lambda work, on_done: execute(work, crew, on_done)


@contextmanager
def _explained(store: Store) -> Iterator[None]:
    """Say of a store that fails which one it is, and that nothing finished is lost."""
    try:
        yield
    except (OSError, DiskError) as error:
        kept = "what was finished is kept; make room or choose another --out, then run the same command again"
        raise StoreError(f"cannot read or write {store.root}: {error}; {kept}") from None


def finish(store: Store, outlook: Outlook, manifest: dict[str, Any]) -> None:
    """Write rows.parquet from all shards.

    Raises StoreError where a shard was lost since they were computed, and where another sweep was started on the
    folder meanwhile: the table is that of the manifest, and the manifest is no longer this sweep's.
    """
    receipts, damaged = store.scan()
    done = done_seeds(receipts)
    absent = [name for name in outlook.cells if len(done.get(name, ())) < outlook.seeds]
    if absent:
        why = f" ({damaged[0]})" if damaged else ""
        raise StoreError(f"{store.root}: {len(absent)} cells lost a shard meanwhile{why}; run the same command again")
    rows = store.rows(receipts, outlook.cells, outlook.seeds)
    _refuse_taken_over(store, manifest)
    store.write_rows(rows)
    _refuse_taken_over(store, manifest)
    if damaged:
        store.discard_damaged()


def _refuse_taken_over(store: Store, manifest: dict[str, Any]) -> None:
    """Raise StoreError where the manifest is now that of another configuration; one that was lost is written again."""
    there = store.read_manifest()
    if there is None:
        store.write_manifest(manifest)
    elif there["config_hash"] != manifest["config_hash"]:
        raise StoreError(
            f"{store.root}: another sweep file was run on this folder meanwhile, and the table of all rows is left to "
            "it. Every trial of this one is stored; once the other has ended, run the one with the larger grid again"
        )


def _manifest(config: SweepConfig, devices: set[str]) -> dict[str, Any]:
    values = content(config)
    return {
        "format": FORMAT,
        "config": values,
        "config_hash": digest(values),
        "root_seed": config.run.root_seed,
        "dtype": DTYPE,
        "device": ", ".join(sorted(devices)),
        "program": program(),
        "python": platform.python_version(),
        "versions": versions(),
    }
