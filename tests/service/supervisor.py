#!/usr/bin/env python3
"""What a supervisor hears, and a server whose session hangs.

    supervisor.py listen SOCKET FILE     write what comes to SOCKET to FILE, a
                                         line each; "@name" is an abstract one
    supervisor.py freeze PID             hold every thread of PID but the one
                                         that watches the others, until the
                                         standard input ends
"""
import ctypes
import os
import socket
import sys

PTRACE_INTERRUPT, PTRACE_DETACH, PTRACE_SEIZE = 0x4207, 17, 0x4206
WALL = 0x40000000


def listen(address, path):
    server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    server.bind("\0" + address[1:] if address[0] == "@" else address)
    with open(path, "w", encoding="ascii") as out:
        out.write("listening\n")
        while True:
            out.flush()
            words = server.recv(4096).decode("ascii").split("\n")
            out.write("".join(word + "\n" for word in words))


def freeze(pid):
    libc = ctypes.CDLL(None, use_errno=True)
    held = []
    for thread in map(int, os.listdir(f"/proc/{pid}/task")):
        with open(f"/proc/{pid}/task/{thread}/comm", encoding="ascii") as comm:
            if comm.read().strip() == "mihfs-watchdog":
                continue
        for request in PTRACE_SEIZE, PTRACE_INTERRUPT:
            if libc.ptrace(request, thread, None, None) < 0:
                sys.exit(f"{thread}: {os.strerror(ctypes.get_errno())}")
        os.waitpid(thread, WALL)
        held.append(thread)
    print("frozen", flush=True)
    sys.stdin.read()
    for thread in held:
        libc.ptrace(PTRACE_DETACH, thread, None, None)


if sys.argv[1:2] == ["listen"] and len(sys.argv) == 4:
    listen(sys.argv[2], sys.argv[3])
elif sys.argv[1:2] == ["freeze"] and len(sys.argv) == 3:
    freeze(int(sys.argv[2]))
else:
    sys.exit(__doc__)
