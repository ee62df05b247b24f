# python3-libvirt. Asked on its standard input, one line for each slice: PROGRAM CALLS.
import sys
import threading
import time

import libvirt

# Calls let go of the interpreter's lock while they wait. As many threads as the addon has for one connection.
THREADS = 7


def awaited(calls):
    for _ in range(calls):
        domain.info()


def pipelined(calls):
    threads = [threading.Thread(target=awaited, args=(calls // THREADS,)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def run_loop():
    while True:
        libvirt.virEventRunDefaultImpl()


libvirt.virEventRegisterDefaultImpl()
threading.Thread(target=run_loop, daemon=True).start()
domain = libvirt.open(sys.argv[1]).lookupByName('test')


def repeated(action):
    def run(calls):
        for _ in range(calls):
            action()

    return run


def events(calls):
    """Each pause and each resume is told; the slice ends with the last of them."""
    told = 0
    end = threading.Event()

    def tell(*_):
        nonlocal told
        told += 1
        if told == calls:
            end.set()

    number = connection.domainEventRegisterAny(domain, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, tell, None)
    for _ in range(calls // 2):
        domain.suspend()
        domain.resume()
    end.wait()
    connection.domainEventDeregisterAny(number)


connection = domain.connect()
programs = {
    'awaited': awaited,
    'pipelined': pipelined,
    'list': repeated(connection.listAllDomains),
    'stats': repeated(connection.getAllDomainStats),
    'events': events,
}
for line in iter(sys.stdin.readline, ''):
    program, calls = line.split()
    start = time.perf_counter_ns()
    programs[program](int(calls))
    print(time.perf_counter_ns() - start, flush=True)
