"""numpy and scipy under LD_PRELOAD=libsoma_blas.so: their products have the library's bits.

Usage: numpy_preload.py LIBRARY. Exit code 0: every product is the library's; 1: not; 77: no numpy
that links a BLAS of the system.
The reference calls cblas_?gemm of LIBRARY on contiguous copies: its bits depend on no layout.
"""

import ctypes
import sys

try:
    import numpy as np
except ImportError:
    print("this Python has no numpy")
    sys.exit(77)

LIBRARY = ctypes.CDLL(sys.argv[1])
ROW_MAJOR, NO_TRANS = 101, 111


def product(a, b):
    """a @ b by the library itself, called through its own handle."""
    a, b = np.ascontiguousarray(a), np.ascontiguousarray(b)
    (m, k), n = a.shape, b.shape[1]
    c = np.empty((m, n), a.dtype)
    single = a.dtype == np.float32
    scalar = ctypes.c_float if single else ctypes.c_double
    gemm = LIBRARY.cblas_sgemm if single else LIBRARY.cblas_dgemm
    pointer = lambda x: ctypes.c_void_p(x.ctypes.data)
    gemm(ROW_MAJOR, NO_TRANS, NO_TRANS, m, n, k, scalar(1), pointer(a), k, pointer(b), n, scalar(0),
         pointer(c), n)
    return c


def check(failures, name, got, want):
    """Notes a result that differs in a bit."""
    if got.tobytes() != np.ascontiguousarray(want).tobytes():
        failures.append(name)


def check_numpy(failures, dtype):
    """Products, transposes, slices, stacks and matrix-vector products."""
    rng = np.random.default_rng(1)
    a = rng.standard_normal((130, 700)).astype(dtype)
    b = rng.standard_normal((700, 90)).astype(dtype)
    x = rng.standard_normal(1400).astype(dtype)
    check(failures, "a @ b", a @ b, product(a, b))
    check(failures, "b.T @ a.T", b.T @ a.T, product(b.T, a.T))
    part, rows = a[:, 100:600], b[100:600]
    check(failures, "a slice of columns", part @ rows, product(part, rows))
    check(failures, "dot", np.dot(a, b[:, :7]), product(a, b[:, :7]))
    stack = np.stack([a, 2 * a])
    check(failures, "a stack", (stack @ b)[1], product(2 * a, b))
    check(failures, "matrix times vector", a @ x[:700], product(a, x[:700, None])[:, 0])
    check(failures, "vector with a stride", a @ x[::2], product(a, x[::2, None])[:, 0])
    check(failures, "vector times matrix", x[:700] @ b, product(x[None, :700], b)[0])


def check_scipy(failures, blas):
    """Fortran symbols: flags, increments."""
    rng = np.random.default_rng(2)
    a, b = (np.asfortranarray(rng.standard_normal(s)) for s in ((60, 500), (60, 40)))
    x = rng.standard_normal(120)
    check(failures, "dgemm", blas.dgemm(1.0, a, b, trans_a=1).copy("C"), product(a.T, b))
    backwards = product(a.T, x[-2::-2, None])[:, 0]
    check(failures, "dgemv", blas.dgemv(1.0, a, x, incx=-2, trans=1), backwards)


def main():
    failures = []
    for dtype in (np.float32, np.float64):
        check_numpy(failures, dtype)
    try:
        from scipy.linalg import blas
        check_scipy(failures, blas)
    except ImportError:
        print("this Python has no scipy")
    inverse = np.linalg.inv(np.eye(50) + 0.01)
    if not np.allclose(inverse @ (np.eye(50) + 0.01), np.eye(50)):
        failures.append("LAPACK")
    print("numpy", np.__version__, "differs in: " + ", ".join(failures) if failures else "agrees")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
