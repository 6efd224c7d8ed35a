#!/usr/bin/env python3
"""Keeps the code in README.md and docs/*.md true: it is code that is built and run.

check.py snippets                   every block is in the file that the line before it names, and tables have options in the
                                    order in which they may be given
check.py run FILE PROGRAM [ARG...]  runs PROGRAM, built from FILE; it prints what the pages say it prints
check.py commands PROGRAM           every `pellucid` command line has a command and options that there are

A block of C++, Python or text follows a line <!-- FILE -->, or <!-- FILE prints --> for what the program prints; one of
another language may. Spaces do not count. A line … in code, and … anywhere in text, leaves something out.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHECKED = {"cpp", "python", "text"}


def pages():
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page):
    """(place, language, file, whether it prints this, lines) of each fenced block; file is None without one."""
    lines = page.read_text(encoding="utf-8").splitlines()
    begin = None
    for number, line in enumerate(lines):
        if not line.lstrip().startswith("```"):
            continue
        if begin is None:
            begin = number
            continue
        named = re.fullmatch(r"\s*<!-- (\S+?)( prints)? -->\s*", lines[begin - 1] if begin > 0 else "")
        yield (f"{page.relative_to(ROOT)}:{begin + 1}", lines[begin].strip().strip("`"),
               named and named[1], bool(named and named[2]), lines[begin + 1:number])
        begin = None


def packed(text):
    """Without spaces and what begins a comment: clang-format breaks long ones into several lines."""
    return "".join(text.replace("//", "").split())


def missing(parts, text):
    """The first line that is not in the text, or part that is not there behind those before it; or None."""
    text, place = packed(text), 0
    for part in parts:
        found = text.find(packed(part), place)
        if found < 0:
            return next((line for line in part.splitlines() if packed(line) not in text), part)
        place = found + len(packed(part))
    return None


def check_snippets():
    wrong, count = [], 0
    for page in pages():
        for place, language, file, prints, lines in blocks(page):
            if file is None and language not in CHECKED:
                continue
            count += 1
            if file is None:
                wrong.append(f"{place}: a block of {language} that no file holds; give the line before it: <!-- FILE -->")
            elif not (ROOT / file).is_file():
                wrong.append(f"{place}: there is no file {file}")
            elif prints:
                if not re.fullmatch(r"examples/\d\d_\w+\.cpp", file):
                    wrong.append(f"{place}: {file} is no numbered example, so nothing runs it")
            else:
                whole = "\n".join(lines)
                parts = whole.split("…") if language == "text" else re.split(r"(?m)^\s*…\s*$", whole)
                part = missing(parts, (ROOT / file).read_text(encoding="utf-8"))
                if part is not None:
                    wrong.append(f"{place}: this is not in {file}:\n{part.strip()}")
    print(f"{count} blocks of {len(pages())} pages")
    return wrong


def members():
    """The members of the headers' structs, in order, by the name of the struct, or of what takes it as its options."""
    found = {}
    for header in sorted((ROOT / "include").rglob("*.hpp")):
        text = header.read_text(encoding="utf-8")
        for name, body in re.findall(r"(?ms)^struct (\w+)[^\n;]*\{\n(.*?)^\};", text):
            found.setdefault(name, []).append(re.findall(r"(?m)^  (?!using|static)[\w:<>]+ (\w+)(?: = .*?;|\{\};)", body))
        for name, other in re.findall(r"(?m)^using (\w+) = (\w+)<", text):
            found[name] = found.get(other, [])
        for name, other in re.findall(r"\b(\w+)\((?:[^()]|\(\))*?const (\w+Options)& options = \{\}", text):
            found[name] = found.get(other, [])
    return found


def check_options():
    """A table has a column of options, or a row for each option of what the table or the heading above it names."""
    structs, wrong, count = members(), [], 0
    for page in pages():
        about = []
        for part in re.split(r"\n(?=#)|\n\n", page.read_text(encoding="utf-8").replace("\\|", "")):
            if not part.startswith("| "):
                about = part.strip("# ").split("\n")[:1] if part.startswith("#") else about
                continue
            head, _, *rows = [[cell.strip() for cell in line.split("|")[1:]] for line in part.strip().split("\n")]
            column = next((i for i, cell in enumerate(head) if re.match("options|defaults", cell)), None)
            if head[0] == "option":
                lists = [(name, " ".join(row[0] for row in rows)) for name in about]
            else:
                about = [name for row in rows for name in re.findall(r"^`(\w+)", row[0])]
                lists = [(re.sub(r"\W.*", "", row[0][1:]), row[column]) for row in rows] if column else []
            for name, cell in lists:
                given = re.findall(r"`([a-z]\w*)`", cell)
                orders = [[one for one in order if one in given] for order in structs.get(name, [])]
                count += any(orders)
                if any(orders) and not any(order and [one for one in given if one in order] == order for order in orders):
                    wrong.append(f"{page.relative_to(ROOT)}: in {name} the order is {max(orders, key=len)}")
    print(f"{count} lists of options")
    return wrong


def check_run(file, program):
    ran = subprocess.run(program, stdout=subprocess.PIPE)
    printed = ran.stdout.decode("utf-8")
    print(printed, end="", flush=True)
    if ran.returncode != 0:
        return [f"{file}: exit code {ran.returncode}"]
    wrong = []
    for page in pages():
        for place, _, named, prints, lines in blocks(page):
            if not prints or named != file:
                continue
            expected = ".*".join(re.escape(packed(part)) for part in "\n".join(lines).split("…"))
            if not re.fullmatch(expected, packed(printed)):
                wrong.append(f"{place}: {file} does not print this")
    return wrong


def check_commands(program):
    def options(command):
        said = subprocess.run([program, *command, "--help"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return set(re.findall(r"--[a-z][a-z0-9-]*", said.stdout.decode("utf-8"))) if said.returncode == 0 else None

    known, wrong, count = {}, [], 0
    for page in pages():
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
            # Code is four spaces in, in a fence or in backticks.
            for line_of_code in re.findall(r"(?:^(?:    )?|`|--nproc-per-node \d+ )pellucid ([a-z]+ [^`]*|[a-z]+)", line):
                words = line_of_code.split("#")[0].split()
                command = tuple(words[:2]) if words[1:2] == ["merge"] else (words[0],)
                if command not in known:
                    known[command] = options(command)
                count += 1
                if known[command] is None:
                    wrong.append(f"{page.relative_to(ROOT)}:{number}: there is no command {' '.join(command)}")
                    continue
                for option in re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", " ".join(words)):
                    if option not in known[command]:
                        wrong.append(f"{page.relative_to(ROOT)}:{number}: {' '.join(command)} has no option {option}")
    print(f"{count} command lines of {len(known)} commands")
    return wrong


def main(task, *arguments):
    if task == "snippets":
        return check_snippets() + check_options()
    if task == "run":
        return check_run(arguments[0], arguments[1:])
    if task == "commands":
        return check_commands(arguments[0])
    sys.exit(__doc__)


if __name__ == "__main__":
    problems = main(*(sys.argv[1:] or ["help"]))
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)
