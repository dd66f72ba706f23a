#!/usr/bin/env python3
"""Training steps of the same recurrent networks in PyTorch and in soma, taking turns.

    bench/rivals/fetch.sh DIR torch
    DIR/bin/python bench/rivals/torch_rnn.py build/soma [--threads 1] [--rounds 5]

One step: forward, backward, gradients of all weights, Adam (PyTorch's fused one); the loss is
sum(rates * constant), as `soma bench rnn` has it. `ctrnn` is the noisy leaky network of neuro.md 2.2 (`current`), which PyTorch has
to step in a Python loop:  x = (1 - a) x + a (r W + u B + b) + s randn,  r = tanh x.  `lstm` and
`gru` are torch.nn.LSTM and torch.nn.GRU. Each round times PyTorch, then soma, then the ratio;
the median over rounds is printed, and the least and the most.
"""

import argparse
import re
import statistics
import subprocess
import time

import torch


def adam(parameters):
    return torch.optim.Adam(parameters, lr=1e-6, fused=True)


def ctrnn_step(units, batch, steps, inputs):
    w_rec = (torch.randn(units, units) / units**0.5).requires_grad_()
    w_in = torch.randn(inputs, units).requires_grad_()
    bias = torch.zeros(units, requires_grad=True)
    u = torch.randn(steps, batch, inputs)
    seed = torch.randn(steps, batch, units)
    alpha, sigma = 0.2, 0.05
    optimizer = adam((w_rec, w_in, bias))

    def run():
        optimizer.zero_grad()
        x = torch.zeros(batch, units)
        drive = u @ w_in + bias
        rates = []
        r = torch.tanh(x)
        for t in range(steps):
            noise = torch.randn(batch, units)
            x = (1 - alpha) * x + alpha * (r @ w_rec + drive[t]) + sigma * noise
            r = torch.tanh(x)
            rates.append(r)
        torch.stack(rates).backward(seed)
        optimizer.step()

    return run


def gated_step(kind, units, batch, steps, inputs):
    net = kind(inputs, units)
    u = torch.randn(steps, batch, inputs)
    seed = torch.randn(steps, batch, units)
    optimizer = adam(net.parameters())

    def run():
        optimizer.zero_grad()
        net(u)[0].backward(seed)
        optimizer.step()

    return run


def seconds_of(run, least):
    run()
    count, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < least:
        run()
        count += 1
    return (time.perf_counter() - begin) / count


def soma_seconds(program, cell, units, options):
    command = [program, "bench", "rnn", "--cell", cell, "--units", units,
               "--batch", options.batch, "--steps", options.steps, "--inputs", options.inputs,
               "--threads", options.threads, "--rounds", 3]
    out = subprocess.run([str(c) for c in command], check=False, capture_output=True,
                         text=True).stdout  # 1: too noisy for soma bench alone to conclude
    row = re.search(rf"^\| *{cell} *\| *N {units} [^|]*\| *(\d+) *\|", out, re.MULTILINE)
    return float(row.group(1)) * 1e-6


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", help="build/soma")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=51)
    parser.add_argument("--inputs", type=int, default=4)
    parser.add_argument("--units", type=int, nargs="*", default=[64, 128, 256, 512])
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"torch {torch.__version__}, {options.threads} threads, B {options.batch}, "
          f"T {options.steps}, I {options.inputs}, {options.rounds} rounds")
    print("| cell | units | torch ms | soma ms | torch / soma | least | most |")
    print("|---|---|---|---|---|---|---|")
    shape = (options.batch, options.steps, options.inputs)
    cases = [("ctrnn", n, ctrnn_step(n, *shape)) for n in options.units]
    for name, kind in (("lstm", torch.nn.LSTM), ("gru", torch.nn.GRU)):
        cases += [(name, n, gated_step(kind, n, *shape)) for n in options.units]
    for cell, units, run in cases:
        theirs, ours = [], []
        for _ in range(options.rounds):
            theirs.append(seconds_of(run, 0.3))
            ours.append(soma_seconds(options.program, cell, units, options))
        ratios = [a / b for a, b in zip(theirs, ours)]
        print(f"| {cell} | {units} | {1e3 * statistics.median(theirs):.2f} "
              f"| {1e3 * statistics.median(ours):.2f} | {statistics.median(ratios):.1f} "
              f"| {min(ratios):.1f} | {max(ratios):.1f} |", flush=True)


if __name__ == "__main__":
    main()
