#!/usr/bin/env python3
"""Proves the layer rule of soma (architecture.md section 3) and the hygiene of its headers.

1. A file in include/soma/<layer>/ or src/<layer>/ includes only headers of the layers it may see:
   its own and those that NEEDS reaches from it.
2. A public header includes none of the headers that would leak a dependency into users' builds.
3. soma.h includes every public C++ header, so that "includes all" stays true.

Prints one line per violation and exits 1 when there is any.
"""

import pathlib
import re
import sys

NEEDS = {
    "core": [],
    "kernels": ["core"],
    "tensor": ["kernels"],
    "autograd": ["tensor"],
    "nn": ["autograd"],
    "optim": ["nn"],
    "linalg": ["kernels"],
    "dist": ["core"],
    "data": ["tensor"],
    "train": ["optim", "data", "dist"],
    "export": ["nn", "data"],
    "capi": ["nn", "data"],
    "neuro": ["nn", "optim", "data", "linalg"],
    "systems": ["train", "export", "capi", "neuro"],
}
FORBIDDEN_IN_HEADERS = re.compile(
    r"^(mpi\.h|cblas\.h|lapacke\.h|\w*intrin\.h|arm_neon\.h|omp\.h|png\.h|zlib\.h|nlohmann/.*|CLI/.*)$"
)
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)
SUFFIXES = {".h", ".cpp", ".inl"}


def reachable(layer):
    """The layers that `layer` may include, itself among them."""
    seen, todo = set(), [layer]
    while todo:
        current = todo.pop()
        if current not in seen:
            seen.add(current)
            todo.extend(NEEDS[current])
    return seen


def layer_of_include(name, root):
    """The layer an include belongs to: soma/<layer>/x.h, or <layer>/x.h below src/."""
    parts = name.split("/")
    if parts[0] == "soma" and len(parts) > 2:
        return parts[1]
    if len(parts) > 1 and (root / "src" / name).exists():
        return parts[0]
    return None


def check_file(path, layer, root):
    """Violations of one file."""
    problems = []
    allowed = reachable(layer)
    for name in INCLUDE.findall(path.read_text(encoding="utf-8")):
        target = layer_of_include(name, root)
        if target is not None and target not in allowed:
            problems.append(f"{layer} may not include {target}: {name}")
        if root / "include" in path.parents and FORBIDDEN_IN_HEADERS.match(name):
            problems.append(f"public header includes {name}")
    return [f"{path.relative_to(root)}: {problem}" for problem in problems]


def check_tree(root):
    """Violations of all layers below `root`."""
    problems = []
    for base in (root / "include" / "soma", root / "src"):
        for path in sorted(base.rglob("*")):
            parts = path.relative_to(base).parts
            if path.suffix not in SUFFIXES or len(parts) < 2:
                continue
            if parts[0] not in NEEDS:
                problems.append(f"{path.relative_to(root)}: unknown layer {parts[0]}")
                continue
            problems.extend(check_file(path, parts[0], root))
    return problems


def check_umbrella(root):
    """Public headers that soma.h forgets."""
    public = root / "include" / "soma"
    umbrella = public / "soma.h"
    if not umbrella.exists():
        return ["include/soma/soma.h: missing"]
    listed = set(INCLUDE.findall(umbrella.read_text(encoding="utf-8")))
    headers = {f"soma/{p.relative_to(public).as_posix()}" for p in public.rglob("*/*.h")}
    return [f"include/soma/soma.h: does not include {name}" for name in sorted(headers - listed)]


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    problems = check_tree(root) + check_umbrella(root)
    print("\n".join(problems) if problems else "layers: ok")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
