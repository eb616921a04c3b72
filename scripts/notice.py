#!/usr/bin/env python3
"""Writes NOTICE: the licences of what a built eegprune carries, read from the Go module cache.

    scripts/notice.py           writes NOTICE
    scripts/notice.py --check   says whether NOTICE is what this would write, and changes nothing

The modules are those that are linked into the program; libtorch is not carried.
"""
import argparse
import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LICENCE = re.compile(r"((un)?licen[cs]e|copying|notice|patents)([-.].*)?$", re.IGNORECASE)
THIRD_PARTY = "THIRD_PARTY_LICENSES"  # a folder where some modules keep the licences of what they hold
HEAD = """eegprune
Copyright (c) 2026 eegprune contributors, under the MIT licence (LICENSE)

The program carries the Go standard library and the modules below, whose licences follow.
It uses libtorch, which it does not carry. scripts/notice.py writes this file.
"""


def run(*args):
    try:
        return subprocess.run(args, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    except FileNotFoundError:
        sys.exit(f"notice.py: needs {args[0]}, which is not on the path")
    except subprocess.CalledProcessError as e:
        sys.exit(f"notice.py: {' '.join(args[:3])} failed: {e.stderr.strip()}")


def linked():
    """Title and folders of each module that is linked in: its own and those of its linked packages."""
    text = run(os.environ.get("GO", "go"), "list", "-deps", "-json=Module,Dir", "./cmd/eegprune")
    decoder, at, found = json.JSONDecoder(), 0, {}
    while at < len(text):
        package, at = decoder.raw_decode(text, at)
        at += len(text[at:]) - len(text[at:].lstrip())
        module = package.get("Module")
        if module and not module.get("Main"):
            if not module.get("Dir"):
                sys.exit(f"notice.py: {module['Path']} is not in the module cache: run go mod download")
            found.setdefault(f"{module['Path']} {module['Version']}", {module["Dir"]}).add(package["Dir"])
    return [(title, sorted(found[title])) for title in sorted(found)]


def texts(folders):
    """Name and text of the licence files that lie in the folders, the names as seen from the first."""
    own = folders[0]
    for folder in [*folders, os.path.join(own, THIRD_PARTY)]:
        if not os.path.isdir(folder):
            continue
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            if os.path.isfile(path) and (LICENCE.match(name) or folder.endswith(THIRD_PARTY)):
                with open(path, encoding="utf-8") as f:
                    yield os.path.relpath(path, own), "\n".join(line.rstrip() for line in f.read().strip().splitlines())


def notice():
    out = HEAD
    for title, folders in [("The Go standard library", [run(os.environ.get("GO", "go"), "env", "GOROOT").strip()]), *linked()]:
        found = list(texts(folders))
        if not found:
            sys.exit(f"notice.py: {title} has no licence file in {folders[0]}: find its licence before it is given on")
        out += f"\n{'=' * 78}\n{title}\n{'=' * 78}\n"
        for name, text in found:
            out += f"\n--- {name}\n\n{text}\n"
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where NOTICE is another")
    check = parser.parse_args().check
    path = os.path.join(ROOT, "NOTICE")
    wanted = notice()
    if not check:
        with open(path, "w", encoding="utf-8") as f:
            f.write(wanted)
        return
    try:
        with open(path, encoding="utf-8") as f:
            same = f.read() == wanted
    except OSError as e:
        sys.exit(f"notice.py: {e}")
    if not same:
        sys.exit("notice.py: NOTICE is not that of the modules that are linked in: run scripts/notice.py")


if __name__ == "__main__":
    main()
