"""The table of docs/clients.md: client, version, feature; made of what the tests saw."""

import json
from contextlib import contextmanager
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/clients.md"
BEGIN = "<!-- made by tests/clients/run --write-table -->"
END = "<!-- end of what is made -->"
YES, NONE, FAILED = "yes", "client has none", "FAILS"

FEATURES = [
    "no compression", "gzip", "snappy", "lz4", "zstd",
    "records of 1 MB",
    "acks 0, 1 and all",
    "idempotent producer",
    "null header values",
    "records without key and value",
    "LogAppendTime",
    "start at the beginning, the end, an offset",
    "start at a time",
    "create a topic", "describe a topic", "describe a topic's options", "alter a topic's options",
    "delete a topic",
    "metadata of 10,000 partitions",
    "a missing topic is a clear error",
    "group of three: joins, leaves, a crash",
    "cooperative rebalance",
    "static members",
    "offsets resumed after a restart of the broker",
]

CODEC_FEATURES = {"none": "no compression", "gzip": "gzip", "snappy": "snappy", "lz4": "lz4",
                  "zstd": "zstd"}


class Matrix:
    """Cells of the run: a feature's outcome for a client, the worst one kept."""

    def __init__(self):
        self.cells = {}
        self.versions = {}
        self.tools = {}

    @contextmanager
    def cell(self, client, feature):
        """Notes whether the body passed; gives False where the client has no such feature."""
        assert feature in FEATURES, feature
        self.versions[client.name] = client.about()["version"]
        has = feature not in client.lacks
        key = (feature, client.name)
        try:
            yield has
        except BaseException:
            self.cells[key] = FAILED
            raise
        if self.cells.get(key) != FAILED:
            self.cells[key] = YES if has else NONE

    @contextmanager
    def tool(self, name, what):
        """Notes whether a tool's test passed."""
        try:
            yield
        except BaseException:
            self.tools[name, what] = FAILED
            raise
        self.tools.setdefault((name, what), YES)

    def save(self, path):
        """Writes what was seen, for the process that looks at all of it."""
        pairs = [[list(key), outcome] for key, outcome in self.cells.items()]
        tools = [[list(key), outcome] for key, outcome in self.tools.items()]
        path.write_text(json.dumps({"cells": pairs, "tools": tools, "versions": self.versions}))

    def add(self, path):
        """Takes what another process saw; the worst outcome is kept."""
        seen = json.loads(path.read_text())
        self.versions |= seen["versions"]
        for mine, theirs in (self.cells, seen["cells"]), (self.tools, seen["tools"]):
            for key, outcome in theirs:
                if mine.get(tuple(key)) != FAILED:
                    mine[tuple(key)] = outcome

    def lines(self, clients):
        """The table's lines, with the features as rows and the clients as columns."""
        yield "| feature | " + " | ".join(clients) + " |"
        yield "|---" * (len(clients) + 1) + "|"
        yield "| version | " + " | ".join(self.versions.get(c, "?") for c in clients) + " |"
        for feature in FEATURES:
            cells = (self.cells.get((feature, client), "?") for client in clients)
            yield f"| {feature} | " + " | ".join(cells) + " |"
        if self.tools:
            yield ""
            yield "| tool | what was done | |"
            yield "|---|---|---|"
            for (name, what), outcome in sorted(self.tools.items()):
                yield f"| {name} | {what} | {outcome} |"

    def write(self, clients):
        text = DOCUMENT.read_text()
        before, rest = text.split(BEGIN)
        after = rest.split(END)[1]
        made = "\n".join(self.lines(clients))
        assert "?" not in made, f"not every test ran:\n{made}"
        DOCUMENT.write_text(f"{before}{BEGIN}\n{made}\n{END}{after}")

    def differences(self, clients):
        """Cells of this run that the document has otherwise; what was not run is no matter."""
        rows = [line.strip("| ").split(" | ") for line in DOCUMENT.read_text().splitlines()
                if line.startswith("| ")]
        made = [line.strip("| ").split(" | ") for line in self.lines(clients)
                if line.startswith("| ")]
        written = {tuple(row[:-1]) if len(row) == 3 else row[0]: row for row in rows}
        found = []
        for row in made:
            known = written.get(tuple(row[:-1]) if len(row) == 3 else row[0], [])
            for number, cell in enumerate(row):
                before = known[number] if number < len(known) else "nothing"
                if cell not in ("?", before):
                    found.append(f"{row[0]}, column {number}: {cell}, not {before}")
        return found
