#!/usr/bin/env python3
"""Data-parallel training steps over two ranks in PyTorch (DistributedDataParallel, gloo) and in soma, taking turns.

    bench/rivals/fetch.sh DIR torch numpy
    DIR/bin/python bench/rivals/torch_ddp.py build/soma [--rounds 5]

The nets are those of `soma bench step`: mlp (784 - 2048 - 2048 - 2048 - 10) and AlexNet at full size, two groups. A step:
forward, cross entropy, backward, sum over the ranks, SGD with momentum; one thread a rank, random images. Printed are
medians over rounds of the step, of the same step of a rank alone, and of their ratio, the efficiency.
"""

import argparse
import csv
import os
import statistics
import subprocess
import tempfile
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn


def mlp():
    sizes = [784, 2048, 2048, 2048, 10]
    layers = []
    for a, b in zip(sizes, sizes[1:]):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1]), (784,), 10


def alexnet():
    def normalised_pool():
        return [nn.LocalResponseNorm(5, 5e-4, 0.75, 2.0), nn.MaxPool2d(3, 2)]

    net = nn.Sequential(
        nn.Conv2d(3, 96, 11, 4), nn.ReLU(), *normalised_pool(),
        nn.Conv2d(96, 256, 5, padding=2, groups=2), nn.ReLU(), *normalised_pool(),
        nn.Conv2d(256, 384, 3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 384, 3, padding=1, groups=2), nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1, groups=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Flatten(), nn.Dropout(), nn.Linear(9216, 4096), nn.ReLU(),
        nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, 1000))
    return net, (3, 227, 227), 1000


NETS = {"mlp": (mlp, 256), "alexnet": (alexnet, 8)}


def seconds_of_step(net, x, labels, steps):
    """Of the slowest rank, from a common start."""
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-6, momentum=0.9)

    def step():
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), labels).backward()
        optimizer.step()

    step()
    dist.barrier()
    begin = time.perf_counter()
    for _ in range(steps):
        step()
    seconds = torch.tensor([(time.perf_counter() - begin) / steps], dtype=torch.float64)
    dist.all_reduce(seconds, op=dist.ReduceOp.MAX)
    return seconds.item()


def worker(rank, meeting, name, steps, result):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=2)
    torch.manual_seed(1)
    make, samples = NETS[name]
    net, shape, classes = make()
    x, labels = torch.randn(samples, *shape), torch.randint(classes, (samples,))
    alone = seconds_of_step(net, x, labels, steps)
    both = seconds_of_step(nn.parallel.DistributedDataParallel(net), x, labels, steps)
    if rank == 0:
        with open(result, "w", encoding="ascii") as out:
            print(alone, both, file=out)
    dist.destroy_process_group()


def torch_times(name, steps):
    with tempfile.TemporaryDirectory() as folder:
        result = os.path.join(folder, "result")
        mp.spawn(worker, (os.path.join(folder, "meeting"), name, steps, result), nprocs=2)
        with open(result, encoding="ascii") as file:
            return [float(word) for word in file.read().split()]


def soma_times(program, name, steps, progress):
    ranks = os.path.join(os.path.dirname(__file__), "../../tools/ranks.sh")
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        subprocess.run([ranks, "2", program, "bench", "step", "--model", name, "--samples", str(NETS[name][1]),
                        "--rounds", str(max(3, steps)), "--progress", progress, "--csv", file.name],
                       check=True, capture_output=True, env={**os.environ, "SOMA_NUM_THREADS": "1"})
        rows = list(csv.DictReader(open(file.name, encoding="ascii")))
    return [statistics.median(float(row[key]) for row in rows) for key in ("compute", f"step_{progress}")]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", help="build/soma")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=5, help="of a round")
    parser.add_argument("--progress", default="poll", help="thread, poll or none")
    parser.add_argument("--nets", nargs="*", default=list(NETS))
    options = parser.parse_args()
    print(f"torch {torch.__version__}, gloo; soma --progress {options.progress}; two ranks of one thread")
    print("| net | torch: alone ms | step ms | efficiency % | soma: alone ms | step ms | efficiency % | step: torch / soma |")
    print("|---|---|---|---|---|---|---|---|")
    for name in options.nets:
        rounds = [(torch_times(name, options.steps), soma_times(options.program, name, options.steps, options.progress))
                  for _ in range(options.rounds)]
        cells = []
        for who in (0, 1):
            cells += [1e3 * statistics.median(r[who][0] for r in rounds), 1e3 * statistics.median(r[who][1] for r in rounds),
                      100 * statistics.median(r[who][0] / r[who][1] for r in rounds)]
        ratio = statistics.median(r[0][1] / r[1][1] for r in rounds)
        print(f"| {name} | " + " | ".join(f"{c:.1f}" for c in cells) + f" | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
