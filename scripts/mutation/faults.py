"""Which small faults a source file can be given: a pure function of its text.

A fault changes one line. It is named FILE:LINE:K, the K-th fault of that line. Comments, strings,
checks of our own bugs and definitions of constants get none: no test is meant to notice those. The
code is formatted by clang-format, so binary operators stand between spaces and templates do not.
"""

import dataclasses
import re


@dataclasses.dataclass(frozen=True)
class Fault:
    file: str
    line: int  # from 1
    number: int  # among those of its line, from 1
    kind: str
    before: str
    after: str

    @property
    def name(self):
        return f"{self.file}:{self.line}:{self.number}"

    def diff(self):
        return f"  - {self.before.strip()}\n  + {self.after.strip()}"

    def apply(self, text):
        """The file's text with this fault in it."""
        lines = text.split("\n")
        if lines[self.line - 1] != self.before:
            raise ValueError(f"{self.name}: the line has changed")
        lines[self.line - 1] = self.after
        return "\n".join(lines)


# Operator and what takes its place, by kind. Longer ones do not contain shorter ones, thanks to the
# spaces.
OPERATORS = {
    "comparison": [(" < ", " <= "), (" <= ", " < "), (" > ", " >= "), (" >= ", " > "),
                   (" == ", " != "), (" != ", " == ")],
    "arithmetic": [(" + ", " - "), (" - ", " + "), (" * ", " / "), (" / ", " * "),
                   (" % ", " / "), (" += ", " -= "), (" -= ", " += ")],
    "logic": [(" && ", " || "), (" || ", " && ")],
}
WORDS = {
    "choice": [("std::min(", "std::max("), ("std::max(", "std::min(")],
    "truth": [("true", "false"), ("false", "true")],
    "counting": [("++", "--"), ("--", "++")],
}
NO_FAULTS = re.compile(
    r"^\s*(#|static_assert|WYNDRVR_CHECK|CHECK\(|template|using |friend|namespace|enum|struct |"
    r"class |case |default:|public:|private:|protected:|extern )|constexpr|\.reserve\(|operator")
LITERAL = re.compile(r"(?<![\w.'])(0|[1-9]\d{0,3})(?![\w.'])")
NEGATION = re.compile(r"(?<![\w)=])!(?=[\w(])")
CONDITION = re.compile(r"^\s*(?:\} else )?if \(")
WITH_DECLARATION = re.compile(r"const |auto |.*;|[\w:<>]+\*? [\w&]+ = ")
# What a member or variable begins with, most often to be overwritten.
FIRST_VALUE = re.compile(r"^\s*[\w:<>, ]+ \w+ = [\w:'.]+;\s*$")
# A call, an assignment or a count that stands alone: without it the code still compiles.
STATEMENT = re.compile(
    r"^\s*(?:\(void\))?(?:(?:\+\+|--)[\w.>\-\[\]]+|[\w.>\-\[\]():]+\(.*\)|[\w.>\-\[\]]+ [+\-*/|&]?= .*);$")
NOT_ALONE = re.compile(r"^\s*(return|break|continue|throw|delete|using|if|for|while|else|do)\b")


def blank_text(line):
    """The line with what stands in strings and comments replaced, at the same places."""
    line = re.sub(r'"(?:[^"\\]|\\.)*"|(?<!\w)\'(?:[^\'\\]|\\.)\'',
                  lambda text: "@" * len(text.group()), line)
    comment = line.find("//")
    return line if comment < 0 else line[:comment]


def matching_end(code, start):
    """Where the parenthesis opened before `start` closes; -1 where that is not on the line."""
    depth = 1
    for at in range(start, len(code)):
        depth += {"(": 1, ")": -1}.get(code[at], 0)
        if depth == 0:
            return at
    return -1


def line_faults(line, previous):
    """(kind, line with the fault) for each fault of a line; `previous` is the line before it."""
    code = blank_text(line)
    if NO_FAULTS.search(code):
        return
    for kind, pairs in OPERATORS.items():
        for old, new in pairs:
            for found in re.finditer(re.escape(old), code):
                yield kind, line[:found.start()] + new + line[found.end():]
    for kind, pairs in WORDS.items():
        if kind == "truth" and FIRST_VALUE.match(code):
            continue
        for old, new in pairs:
            boundary = r"\b" if old[0].isalpha() and old[-1].isalpha() else ""
            for found in re.finditer(boundary + re.escape(old) + boundary, code):
                yield kind, line[:found.start()] + new + line[found.end():]
    for found in NEGATION.finditer(code):
        yield "negation", line[:found.start()] + line[found.end():]
    for found in LITERAL.finditer(code):
        # Not the size of an array, nor an argument of a template.
        if FIRST_VALUE.match(code):
            break
        if code[found.end():found.end() + 1] in (">", "}") or code[:found.start()].endswith("<"):
            continue
        yield "constant", line[:found.start()] + str(int(found.group()) + 1) + line[found.end():]
    condition = CONDITION.match(code)
    if condition:
        end = matching_end(code, condition.end())
        inner = line[condition.end():end]
        if end >= 0 and not WITH_DECLARATION.match(code[condition.end():end]):
            yield "condition", f"{line[:condition.end()]}!({inner}){line[end:]}"
    alone = re.search(r"[;{}:]\s*$", blank_text(previous)) or not blank_text(previous).strip()
    if alone and STATEMENT.match(code) and not NOT_ALONE.match(code):
        indent = line[:len(line) - len(line.lstrip())]
        yield "statement", indent + ";"


def faults_of(file, text):
    """All faults of a file, in order."""
    lines = text.split("\n")
    for index, line in enumerate(lines):
        number = 0
        for kind, changed in line_faults(line, lines[index - 1] if index > 0 else ""):
            number += 1
            yield Fault(file, index + 1, number, kind, line, changed)


def parse_equivalents(text):
    """{(file, before, after): reason} of a list in the form that scripts/mutate prints:

    # why no test can notice it
    src/layer/file.cpp
      - the line
      + the line with the fault
    """
    known = {}
    reason, file, before = "", "", ""
    for line in text.splitlines():
        word = line.strip()
        if line.startswith("#"):
            reason = (reason + " " + word.lstrip("# ")).strip()
        elif word.startswith("- "):
            before = word[2:].strip()
        elif word.startswith("+ "):
            if not reason:
                raise ValueError(f"{file}: no reason is given for '{word}'")
            known[(file, before, word[2:].strip())] = reason
            reason = ""
        elif word:
            file = word
    return known


def key_of(fault):
    return fault.file, fault.before.strip(), fault.after.strip()
