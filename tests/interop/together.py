"""Several cases of one test at once: what waits for sockets and timers need not wait in turn."""

import concurrent.futures
import threading

import harness

_ports = threading.Lock()


def reserve_ports(count):
    """harness.free_ports, for callers in several threads."""
    with _ports:
        return harness.free_ports(count)


def check_all(test, check, cases, at_once=4):
    """check(*case) for each case; every failure is shown with its case, and fails the test."""
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        futures = [(case, pool.submit(check, *case)) for case in cases]
        concurrent.futures.wait([future for _, future in futures])
    for case, future in futures:
        with test.subTest(case=" ".join(map(str, case))):
            future.result()
