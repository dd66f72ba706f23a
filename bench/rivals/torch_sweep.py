#!/usr/bin/env python3
"""Flip-flop nets per minute in PyTorch's loop and in `soma sweep`, taking turns.

    bench/rivals/fetch.sh DIR torch
    DIR/bin/python bench/rivals/torch_sweep.py build/soma [--units 32] [--updates 240] [--rounds 3]

Both train the nets of `soma train flipflop2013` on the same task with the same recipe, one thread:
3 bits, 64 steps, alpha .5, noise .1, batches of 32 new trials, squared error, Adam at .02, gradient
norm clipped at 1, nets of one size and length. soma's time holds more than PyTorch's: its program's
start, evaluations while it learns, and fixed points from 64 states with their saddle graph.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time

import torch

BITS, STEPS, BATCH, ALPHA = 3, 64, 32, 0.5


def trials(count):
    """Pulses [T, B, bits] of +-1, each with probability 1/2, all in step 0; the last sign of each."""
    signs = torch.randint(0, 2, (STEPS, count, BITS)).float() * 2 - 1
    pulse = torch.rand(STEPS, count, BITS) < 0.5
    pulse[0] = True
    step = torch.arange(STEPS).view(-1, 1, 1).expand_as(signs) * pulse
    last = torch.cummax(step, dim=0).values
    return signs * pulse, torch.gather(signs, 0, last)


class Net(torch.nn.Module):
    def __init__(self, units):
        super().__init__()
        self.w = torch.nn.Parameter(torch.randn(units, units) * 0.5 / units**0.5)
        self.w_in = torch.nn.Parameter(torch.randn(BITS, units) / BITS**0.5)
        self.bias = torch.nn.Parameter(torch.zeros(units))
        self.out = torch.nn.Linear(units, BITS)

    def forward(self, u, sigma):
        x = torch.zeros(u.shape[1], len(self.bias))
        drive = u @ self.w_in + self.bias
        r, rates = torch.tanh(x), []
        for t in range(len(u)):
            x = (1 - ALPHA) * x + ALPHA * (r @ self.w + drive[t]) + sigma * torch.randn_like(x)
            r = torch.tanh(x)
            rates.append(r)
        return self.out(torch.stack(rates))


def torch_net(units, updates, sigma):
    """Trains one net; the fraction of right signs on new trials."""
    net = Net(units)
    adam = torch.optim.Adam(net.parameters(), lr=0.02, fused=True)
    for _ in range(updates):
        u, y = trials(BATCH)
        adam.zero_grad()
        (net(u, sigma) - y).square().mean().backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        adam.step()
    with torch.no_grad():
        u, y = trials(128)
        return (net(u, sigma).sign() == y).float().mean().item()


def soma_nets(program, units, updates, sigma, first, count):
    """Seconds a net of a sweep, start of the program included, and the mean accuracy."""
    plan = {"name": "nets", "system": "flipflop2013",
            "options": {"units": units, "updates": updates, "sigma": sigma,
                        "search_states": 64},
            "seeds": {"first": first, "count": count}}
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/plan.json"
        with open(file, "w", encoding="utf-8") as out:
            json.dump(plan, out)
        begin = time.perf_counter()
        result = subprocess.run([program, "sweep", file, "--threads", "1", "--quiet", "--json",
                                 "--out", folder], check=True, capture_output=True, text=True)
        seconds = (time.perf_counter() - begin) / count
    measures = json.loads(result.stdout)["settings"][0]["measures"]
    return seconds, measures["accuracy"]["mean"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", help="build/soma")
    parser.add_argument("--units", type=int, nargs="*", default=[32, 64])
    parser.add_argument("--updates", type=int, default=240)
    parser.add_argument("--sigma", type=float, default=0.1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--nets", type=int, default=4, help="of soma in a round")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, 1 thread, {options.updates} updates a net, "
          f"{options.rounds} rounds")
    print("| units | torch nets/min | right | soma nets/min | right | soma / torch | least | most |")
    print("|---|---|---|---|---|---|---|---|")
    for units in options.units:
        theirs, ours, right = [], [], ([], [])
        for round_ in range(options.rounds):
            begin = time.perf_counter()
            right[0].append(torch_net(units, options.updates, options.sigma))
            theirs.append(time.perf_counter() - begin)
            seconds, accuracy = soma_nets(options.program, units, options.updates, options.sigma,
                                          1 + round_ * options.nets, options.nets)
            ours.append(seconds)
            right[1].append(accuracy)
        ratios = [a / b for a, b in zip(theirs, ours)]
        print(f"| {units} | {60 / statistics.median(theirs):.1f} | {statistics.mean(right[0]):.3f} "
              f"| {60 / statistics.median(ours):.1f} | {statistics.mean(right[1]):.3f} "
              f"| {statistics.median(ratios):.1f} | {min(ratios):.1f} | {max(ratios):.1f} |",
              flush=True)


if __name__ == "__main__":
    main()
