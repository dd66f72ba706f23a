#!/usr/bin/env python3
"""Writes tests/golden/gated.npz: gated recurrent nets as PyTorch computes them, in f64.

    tools/make_golden.py tests/golden

Cases `lstm`, `gru` and `bidirectional` (an LSTM over trials of different lengths). Arrays are named
<case>.<array>. Weights are transposed to soma's [from, gates N]; the two biases of PyTorch are one,
but for `bias_rec`, the recurrent bias of a GRU's n. d_x is the gradient of sum(h * d_h) with
respect to x. soma never needs PyTorch: the file is part of the repository.
"""

import pathlib
import sys

import numpy
import torch

STEPS, BATCH, INPUTS, UNITS = 6, 3, 4, 5
LENGTHS = [6, 4, 1]


def random(*shape):
    return torch.randn(*shape, dtype=torch.float64)


def plain(tensor):
    return tensor.detach().numpy().copy()


def layer(kind, **options):
    net = kind(INPUTS, UNITS, dtype=torch.float64, **options)
    for name, parameter in net.named_parameters():
        torch.nn.init.normal_(parameter, std=0.5)
        if "bias_hh" in name:  # one bias, but for n of a GRU
            with torch.no_grad():
                parameter[: 2 * UNITS if kind is torch.nn.GRU else None] = 0
    return net


def weights(net, suffix=""):
    get = lambda name: getattr(net, f"{name}_l0{suffix}")
    out = {}
    for ours, name in (("w_in", "weight_ih"), ("w_rec", "weight_hh")):
        out[ours] = plain(get(name).T)
        out["d_" + ours] = plain(get(name).grad.T)
    out["bias"] = plain(get("bias_ih"))
    out["d_bias"] = plain(get("bias_ih").grad)
    if isinstance(net, torch.nn.GRU):
        out["bias_rec"] = plain(get("bias_hh")[2 * UNITS :])
        out["d_bias_rec"] = plain(get("bias_hh").grad[2 * UNITS :])
    return out


def one_direction(kind):
    net = layer(kind)
    u = random(STEPS, BATCH, INPUTS).requires_grad_()
    start = {"h0": random(BATCH, UNITS).requires_grad_()}
    if kind is torch.nn.LSTM:
        start["c0"] = random(BATCH, UNITS).requires_grad_()
    rows = [value[None] for value in start.values()]
    h, _ = net(u, tuple(rows) if kind is torch.nn.LSTM else rows[0])
    d_h = random(*h.shape)
    (h * d_h).sum().backward()
    case = {"u": plain(u), "d_u": plain(u.grad), "h": plain(h), "d_h": plain(d_h)}
    for name, value in start.items():
        case[name] = plain(value)
        case["d_" + name] = plain(value.grad)
    return case | weights(net)


def both_directions():
    net = layer(torch.nn.LSTM, bidirectional=True)
    u = random(STEPS, BATCH, INPUTS).requires_grad_()
    packed = torch.nn.utils.rnn.pack_padded_sequence(u, LENGTHS)
    h, _ = torch.nn.utils.rnn.pad_packed_sequence(net(packed)[0])
    d_h = random(*h.shape)
    (h * d_h).sum().backward()
    case = {"u": plain(u), "d_u": plain(u.grad), "h": plain(h), "d_h": plain(d_h)}
    case["lengths"] = numpy.array(LENGTHS, dtype=numpy.int64)
    for direction, suffix in (("ahead", ""), ("back", "_reverse")):
        for name, value in weights(net, suffix).items():
            case[f"{direction}.{name}"] = value
    return case


def main():
    torch.manual_seed(1997)
    cases = {
        "lstm": one_direction(torch.nn.LSTM),
        "gru": one_direction(torch.nn.GRU),
        "bidirectional": both_directions(),
    }
    arrays = {f"{case}.{name}": value for case, all_ in cases.items() for name, value in all_.items()}
    arrays["torch_version"] = numpy.frombuffer(torch.__version__.encode(), dtype=numpy.uint8)
    numpy.savez(pathlib.Path(sys.argv[1]) / "gated.npz", **arrays)


if __name__ == "__main__":
    main()
