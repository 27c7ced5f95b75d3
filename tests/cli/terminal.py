"""A person at a terminal who is asked for a password ("secret").

    terminal.py "" | SIGNAL  COMMAND...

Answers at once, or sends a signal first: TSTP must stop the command, which
then goes on and asks again; any other must end it. Whenever the command does
not wait for the password, the terminal must echo. Exit status 0 if all that is
so.
"""

import fcntl
import os
import select
import signal
import sys
import termios
import time

LIMIT_S = 20


def shows(fd):
    return bool(termios.tcgetattr(fd)[3] & termios.ECHO)


def until(what, condition):
    end = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"not in time: {what}")
        time.sleep(0.01)


def await_prompt(fd, text=b""):
    """Until it has asked, and hides what is typed."""
    while b"Password for " not in text:
        if not select.select([fd], [], [], LIMIT_S)[0]:
            sys.exit("no prompt")
        text += os.read(fd, 4096)
    until("echo off", lambda: not shows(fd))


def wait(child, options=0):
    status = [0, 0]

    def ended():
        status[:] = os.waitpid(child, options | os.WNOHANG)
        return status[0] == child

    until("end", ended)
    return status[1]


def take(tty):
    """Make it the terminal of a session of ours; its shell, so to say."""
    if os.getpid() == os.getpgrp():
        child = os.fork()
        if child:
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    os.setsid()
    fcntl.ioctl(tty, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)


def start(tty, command):
    """In the foreground, in a process group of its own, as shells do."""
    child = os.fork()
    if child:
        return child
    os.setpgid(0, 0)
    os.tcsetpgrp(tty, os.getpid())
    for number in range(1, 32):
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, signal.SIG_DFL)
    os.execvp(command[0], command)


def main():
    how, command = sys.argv[1], sys.argv[2:]
    fd, tty = os.openpty()
    take(tty)
    child = start(tty, command)
    await_prompt(fd)
    if how:
        number = getattr(signal, "SIG" + how)
        os.kill(child, number)
        status = wait(child, os.WUNTRACED)
        if not shows(tty):
            sys.exit(f"SIG{how}: the terminal does not echo")
        if how != "TSTP":
            if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != number:
                sys.exit(f"SIG{how}: ended otherwise: {status:#x}")
            return
        if not os.WIFSTOPPED(status):
            sys.exit("SIGTSTP: not stopped")
        os.kill(child, signal.SIGCONT)
        await_prompt(fd)
    os.write(fd, b"secret\n")
    status = wait(child)
    if status or not shows(tty):
        sys.exit(f"answered: status {status:#x}, echo {shows(tty)}")


main()
