"""The program `precursor` on a terminal: tables, colours, questions, progress and the live view."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

import pytest

import brokers
from conftest import new_name

SECONDS_MAX = 120


@pytest.fixture(scope="module")
def broker():
    broker = brokers.Precursor()
    yield broker
    broker.remove()


def terminal(broker, *words, typed=(), **environment):
    """What the program draws until it ends, and its exit code. `typed` are pairs: a text that is
    waited for, and what is typed then."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    child = subprocess.Popen([broker.program, *words, "--bootstrap", broker.bootstrap],
                             stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
                             env={**kept, "TERM": "xterm-256color", **environment})
    os.close(theirs)
    drawn, typed, deadline = "", list(typed), time.monotonic() + SECONDS_MAX
    try:
        while True:
            assert time.monotonic() < deadline, drawn
            if not select.select([ours], [], [], 1)[0]:
                continue
            try:
                more = os.read(ours, 1 << 16)
            except OSError:  # Nobody has the other side any more.
                break
            drawn += more.decode(errors="replace")
            if typed and typed[0][0] in drawn:
                os.write(ours, typed.pop(0)[1].encode())
        return drawn, child.wait(SECONDS_MAX)
    finally:
        os.close(ours)
        child.kill()
        child.wait()


def plain(broker, *words, data=None):
    # Both outputs: bars and questions go to standard error.
    done = subprocess.run([broker.program, *words, "--bootstrap", broker.bootstrap], input=data,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS_MAX)
    assert done.returncode == 0, done.stdout
    return done.stdout.decode()


@pytest.fixture
def made(broker):
    name = new_name()
    plain(broker, "topic", "create", name)
    return name


def test_tables_have_frames_and_colours_where_somebody_looks(broker, made):
    words = ["topic", "list"]
    drawn, code = terminal(broker, *words)
    assert code == 0 and made in drawn and "│" in drawn and "\x1b[1m" in drawn, drawn
    drawn, _ = terminal(broker, *words, NO_COLOR="1")
    assert made in drawn and "│" in drawn and "\x1b[" not in drawn, drawn
    text = plain(broker, *words)
    assert made in text and "│" not in text and "\x1b" not in text, text
    drawn, _ = terminal(broker, "doctor")
    assert re.search("\x1b\\[38;5;10m|\x1b\\[32m", drawn), "what is good is green"


def test_what_cannot_be_undone_is_asked_for(broker, made):
    delete = ["topic", "delete", made]
    question = f"Really delete {made} with all records? [y/N]"
    drawn, code = terminal(broker, *delete, typed=[(question, "n\n")])
    assert code == 1 and "nothing was changed" in drawn, drawn
    assert made in plain(broker, "topic", "list")
    drawn, code = terminal(broker, *delete, typed=[(question, "y\n")])
    assert code == 0 and f"topic {made} deleted" in drawn, drawn
    assert made not in plain(broker, "topic", "list")


def test_writing_shows_a_bar_and_its_rate(broker, made, tmp_path):
    lines = tmp_path / "lines"
    lines.write_text("".join(f"line number {n}\n" for n in range(20_000)))
    # Small batches, so that there is something to see.
    words = ["produce", made, "--batch", "5", "--file", str(lines)]
    drawn, code = terminal(broker, *words)
    assert code == 0, drawn
    assert re.search(r"\d+%  [\d.]+ \w+ of [\d.]+ \w+  .*/s  \d+ records, \d+/s", drawn), drawn
    assert "20,000 records" in drawn or "20000 records" in drawn, drawn
    assert "%" not in plain(broker, "produce", made, "--file", str(lines))


def test_the_live_view_draws_and_leaves_the_terminal_as_it_was(broker, made):
    plain(broker, "produce", made, data=b"a\nb\n")
    drawn, code = terminal(broker, "top", "--interval", "0.2", typed=[(made, "q")])
    assert code == 0 and made in drawn and "leaves" in drawn, drawn
    # To the other screen and back.
    assert drawn.index("\x1b[?1049h") < drawn.rindex("\x1b[?1049l")
