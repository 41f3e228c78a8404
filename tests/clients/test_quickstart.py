"""docs/quickstart.md: every program in it is run as it stands, with the broker's address put in."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import new_name
from drivers import CACHE, CLASS_PATH, HERE, JAVA, NODE, PYTHON, ROOT

TEXT = (ROOT / "docs/quickstart.md").read_text()
PROGRAMS = {name: (language, code) for name, language, code in
            re.findall(r"^## (.+?)\n.*?^```(\w+)\n(.*?)^```", TEXT, re.M | re.S)}


def rust(file):
    """A crate with the dependencies of the tests' own client, which are built already."""
    crate = Path(file).parent / "crate"
    (crate / "src").mkdir(parents=True)
    shutil.copy(file, crate / "src/main.rs")
    for name in ("Cargo.toml", "Cargo.lock"):
        text = (HERE / "rust" / name).read_text()
        (crate / name).write_text(text.replace("precursor-tests-rdkafka", "quickstart"))
    return ["cargo", "run", "--quiet", "--offline", "--manifest-path", str(crate / "Cargo.toml"),
            "--target-dir", str(CACHE / "rust")]


RUN = {
    "sh": lambda file: ["bash", "-e", file],
    "python": lambda file: [PYTHON, file],
    "java": lambda file: [*JAVA, "-cp", CLASS_PATH, file],
    "go": lambda file: ["go", "run", file],
    "rust": rust,
    "js": lambda file: [NODE, file],
}
ENDINGS = {"python": "py", "js": "mjs"}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_program_runs_as_it_stands(bootstrap, tmp_path, name):
    language, code = PROGRAMS[name]
    assert "localhost:9092" in code and "greetings" in code
    # Node looks for packages beside the program.
    place = CACHE / "node" if language == "js" else tmp_path
    file = place / f"Quickstart.{ENDINGS.get(language, language)}"
    topic = new_name()
    file.write_text(code.replace("localhost:9092", bootstrap).replace("greetings", topic))
    done = subprocess.run(RUN[language](str(file)), cwd=HERE / "go", capture_output=True,
                          timeout=120, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "hello, log" in done.stdout, done.stdout + done.stderr[-2000:]
