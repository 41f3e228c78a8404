"""kcat as a member of a group, translated to the tests' contract: what it prints of its assignment
and its records become events. kcat commits by itself, so it is told to do that often."""

import json
import subprocess
import sys
import threading
import re

import contract

ASSIGNED = re.compile(rb"rebalanced .*: (assigned|revoked): (.*)")


def main(bootstrap):
    request = json.loads(sys.stdin.readline())
    settings = {
        "session.timeout.ms": request["session_ms"],
        "heartbeat.interval.ms": 500,
        "auto.offset.reset": "earliest",
        "auto.commit.interval.ms": 100,
        "fetch.wait.max.ms": 200,
        "partition.assignment.strategy": "range",
    }
    if request["instance"]:
        settings["group.instance.id"] = request["instance"]
    options = [word for name, value in settings.items() for word in ("-X", f"{name}={value}")]
    kcat = subprocess.Popen(
        ["kcat", "-b", bootstrap, *options, "-E", "-u", "-f", "%p %o %s\\n", "-G", request["group"],
         request["topic"]], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    told = threading.Thread(target=tell_owned, args=(kcat.stderr,))
    told.start()
    read = threading.Thread(target=tell_records, args=(kcat.stdout,))
    read.start()
    sys.stdin.readline()
    kcat.terminate()
    kcat.wait()
    read.join()
    told.join()
    contract.line(event="left")


def tell_owned(errors):
    for line in errors:
        if found := ASSIGNED.search(line):
            numbers = re.findall(rb"\[(\d+)\]", found[2]) if found[1] == b"assigned" else []
            contract.owned(map(int, numbers))


def tell_records(out):
    for line in out:
        partition, offset, value = line.split(b" ", 2)
        contract.records_seen([(int(partition), int(offset), value.rstrip(b"\n"))])


main(sys.argv[1])
