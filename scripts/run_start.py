#!/usr/bin/env python3
"""Runs the commands of a page in an empty folder and compares their output with the page's.

    scripts/run_start.py [--page docs/start.md] [--wheel FILE | --path DIR] [--write]

A block of the page that begins with "$ " is a command and what it prints; a line of it that ends
in a backslash goes on. A block of Python whose first line is "# NAME.py" is a file that the
commands run. Comments before a block say what need not be the same:

    <!-- varies -->            all that the block prints, and how much
    <!-- varies: 3, 7-8 -->    these lines, counted from the block's first line of output
    <!-- numbers vary -->      each number, and the blanks and rules around it
    <!-- numbers vary: 2-5 --> those of these lines

What stays must be the same, and every command must succeed. With another minor version of torch than
the page's, which rounds otherwise, all numbers vary. Python's warnings, which each version of
torch has its own of, are left out. "pip install" in the page's words takes
--wheel in the place of the name eegprune. With --path the commands are run with DIR first on PATH, and
those of pip and venv are left out: for a Python that has torch and the wheel already. --write
puts what was printed into the page, where a block says nothing or other than was printed.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARKS = re.compile(r"(?:<!-- (?:varies|numbers vary)(?:: [\d, -]+)? -->\n)+\n?\Z")
MARK = re.compile(r"<!-- (varies|numbers vary)(?:: ([\d, -]+))? -->")
SETS_UP = re.compile(r"(python3? -m venv|\. venv/|source venv/|pip install)")
TORCH = re.compile(r"libtorch (\d+\.\d+)")
NUMBER = re.compile(r" *[-+]?\d[\d .,]*(?:e[-+]?\d+)? *|[ ─]{2,}")


class Command:
    """A command of a block: its text, what the page says it prints, and which lines of it vary."""

    def __init__(self, text, output, first):
        self.text, self.output, self.first = text, output, first


def commands(block):
    """Splits a block into commands; first counts the block's lines of output before each.

    >>> [(c.text, c.output, c.first) for c in commands("$ a\\nx\\ny\\n$ b \\\\\\n  c\\nz\\n")]
    [('a', ['x', 'y'], 0), ('b \\\\\\n  c', ['z'], 2)]
    """
    found, lines, count = [], block.splitlines(), 0
    while lines:
        line = lines.pop(0)
        if not line.startswith("$ "):
            found[-1].output.append(line)
            count += 1
            continue
        text = line[2:]
        while text.endswith("\\") and lines:
            text += "\n" + lines.pop(0)
        found.append(Command(text, [], count))
    return found


def numbered(spans, line):
    """Whether a line, counted from 1, is in spans such as "2-5, 7"; all are where there are none."""
    if not spans:
        return True
    for span in spans.split(","):
        low, _, high = span.strip().partition("-")
        if int(low) <= line <= int(high or low):
            return True
    return False


def same(said, printed, marks, first):
    """Whether what was printed is what the page says, as far as its marks hold it to that.

    >>> same(["a 1.5 b"], ["a 22 b"], [("numbers vary", None)], 0), same(["a 1"], ["b 1"], [("numbers vary", None)], 0)
    (True, False)
    >>> same(["a 1", "b 2"], ["a 1", "c"], [("varies", "2")], 0), same(["a 1"], ["a 2"], [("numbers vary", "2")], 0)
    (True, False)
    """
    if ("varies", None) in marks:
        return True
    if len(said) != len(printed):
        return False
    for n, (a, b) in enumerate(zip(said, printed), first + 1):
        ways = [way for way, spans in marks if numbered(spans, n)]
        if "numbers vary" in ways:
            a, b = NUMBER.sub(" N ", a), NUMBER.sub(" N ", b)
        if a != b and "varies" not in ways:
            return False
    return True


class Shell:
    """A shell that is kept from command to command, since activating an environment changes it."""

    END = "-- end of command:"
    NO_CUDA = "eegprune: this torch is for CUDA"  # of a wheel with shims for CPUs alone

    def __init__(self, folder, env):
        self.process = subprocess.Popen(["bash"], cwd=folder, env=env, text=True, bufsize=1,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, text):
        """The lines that a command prints, standard error among them, and its exit code."""
        self.process.stdin.write(f"{text} </dev/null\nprintf '\\n{self.END}%d\\n' $?\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line.startswith(self.END):
                if lines and lines[-1] == "":
                    lines.pop()
                return lines, int(line[len(self.END):])
            if not line.startswith(self.NO_CUDA):
                lines.append(line.rstrip())
        sys.exit(f"run_start.py: the shell ended in: {text}")


def run(page, folder, env, path, wheel):
    """Runs the page; returns it with what was printed, and how many commands were run and differed."""
    shell = Shell(folder, env)
    out, at, ran, differ = "", 0, 0, 0
    own, rounds_otherwise = TORCH.search(page), []
    for block in FENCE.finditer(page):
        out, before, at = out + page[at:block.start()], page[:block.start()], block.end()
        kind, body = block.groups()
        name = re.match(r"# (\w+\.py)\n", body)
        if kind == "python" and name:
            with open(os.path.join(folder, name.group(1)), "w", encoding="utf-8") as f:
                f.write(body)
        if not body.startswith("$ "):
            out += block.group()
            continue
        above = MARKS.search(before)
        marks = MARK.findall(above.group()) if above else []
        marks = [(way, spans or None) for way, spans in marks]
        new = ""
        for c in commands(body):
            printed = c.output
            if not (path and SETS_UP.match(c.text)):
                text = c.text
                if wheel and "pip install" in text:
                    text = re.sub(r"'?\beegprune\b(\[\w+\])?'?", lambda m: f"'{wheel}{m.group(1) or ''}'", text)
                print("$", text, flush=True)
                printed, code = shell.run(text)
                ran += 1
                if code != 0:
                    sys.exit("\n".join(printed) + f"\nrun_start.py: exit code {code}")
                torch = TORCH.search("\n".join(printed))
                if own and torch and own.group(1) != torch.group(1):
                    rounds_otherwise = [("numbers vary", None)]
                if not same(c.output, printed, marks + rounds_otherwise, c.first):
                    differ += 1
                    print("  the page says:\n    " + "\n    ".join(c.output) + "\n  it printed:\n    " + "\n    ".join(printed))
                elif c.output:
                    printed = c.output  # as good as what was printed now
            new += "\n".join([f"$ {c.text}", *printed]) + "\n"
        out += f"```{kind}\n{new}```"
    return out + page[at:], ran, differ


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", default=os.path.join(ROOT, "docs", "start.md"), help="a page of Markdown")
    parser.add_argument("--wheel", help="the wheel that pip installs in the place of eegprune")
    parser.add_argument("--path", help="a folder with eegprune and a python that has torch; nothing is installed")
    parser.add_argument("--write", action="store_true", help="put what was printed into the page")
    a = parser.parse_args()
    with open(a.page, encoding="utf-8") as f:
        page = f.read()
    env = {k: v for k, v in os.environ.items() if k not in ("EEGPRUNE_SHIM", "LIBTORCH", "PYTHONPATH")}
    with tempfile.TemporaryDirectory() as work:
        folder = os.path.join(work, "start")
        os.mkdir(folder)
        env |= {"XDG_CACHE_HOME": os.path.join(work, "cache"), "NO_COLOR": "1", "PYTHONWARNINGS": "ignore", "PIP_QUIET": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1",
                "PIP_CACHE_DIR": os.environ.get("PIP_CACHE_DIR", os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "pip"))}
        if a.path:
            env["PATH"] = os.path.abspath(a.path) + os.pathsep + env["PATH"]
        page, ran, differ = run(page, folder, env, a.path, a.wheel and os.path.abspath(a.wheel))
    if ran == 0:
        sys.exit(f"run_start.py: {a.page} has no commands")
    if a.write:
        with open(a.page, "w", encoding="utf-8") as f:
            f.write(page)
    elif differ:
        sys.exit(f"run_start.py: {differ} of {ran} commands printed something else")
    print(f"{ran} commands do what {os.path.relpath(a.page)} says" if not differ else f"{differ} of {ran} blocks were written anew")


if __name__ == "__main__":
    main()
