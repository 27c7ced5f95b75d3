#!/usr/bin/env python3
"""Read files in blocks, over and over, while their mount comes and goes.

    reader.py [--gap] STOP FILE...

A block that cannot be read is asked for again, from a file opened anew, as a
loader with retries does. Each round ends with the digest of everything it got;
after the round in which the file STOP appears it prints one line per distinct
outcome, "SHA256 NAME", and "rounds N errors N". The first line, "rounds begin",
comes at once. A block that is too short ends the program with an error, and so
does a bare folder where the mount was (ENOENT), unless --gap allows for one.
"""
import errno
import hashlib
import os
import sys
import time

BLOCK = 65536
PATIENCE = 60
GONE = {errno.ENOTCONN, errno.ECONNABORTED, errno.EIO, errno.ENODEV,
        errno.ESTALE}


class Reader:
    def __init__(self, path, nbytes):
        self.path, self.nbytes = path, nbytes
        self.fd, self.errors = -1, 0

    def reopen(self):
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1
        self.fd = os.open(self.path, os.O_RDONLY)
        # Of this mount, ask the server, not the memory of the kernel.
        os.posix_fadvise(self.fd, 0, 0, os.POSIX_FADV_DONTNEED)

    def block(self, off):
        want = min(BLOCK, self.nbytes - off)
        limit = time.monotonic() + PATIENCE
        while True:
            try:
                if self.fd < 0:
                    self.reopen()
                data = os.pread(self.fd, want, off)
                if len(data) != want:
                    sys.exit(f"{self.path}: {len(data)} bytes at {off}")
                return data
            except OSError as e:
                if e.errno not in GONE or time.monotonic() > limit:
                    sys.exit(f"{self.path}: {e}")
                self.errors += 1
                time.sleep(0.01)
                try:
                    self.reopen()
                except OSError:
                    pass

    def round(self):
        digest = hashlib.sha256()
        for off in range(0, self.nbytes, BLOCK):
            digest.update(self.block(off))
        os.close(self.fd)
        self.fd = -1
        return digest.hexdigest()


def main():
    args = sys.argv[1:]
    if args[0] == "--gap":
        GONE.add(errno.ENOENT)
        args.pop(0)
    stop = args[0]
    readers = [Reader(path, os.stat(path).st_size) for path in args[1:]]
    rounds, outcomes = 0, set()
    print("rounds begin", flush=True)
    while rounds == 0 or not os.path.exists(stop):
        for reader in readers:
            outcomes.add(f"{reader.round()} {os.path.basename(reader.path)}")
        rounds += 1
    for outcome in sorted(outcomes):
        print(outcome)
    print(f"rounds {rounds} errors {sum(r.errors for r in readers)}")


main()
