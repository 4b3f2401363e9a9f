"""Write each role's README.md from its argument specs and its own ``docs/`` texts; --check says what is not current."""

from __future__ import annotations

import argparse
import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
MARKS = ((re.compile(r"([A-Z])\(([^()]*)\)"), lambda m: f"`{m.group(2)}`" if m.group(1) in "CVEOM" else m.group(2)),)


def text(value):
    """Ansible's markup (``V(x)``, ``C(x)``) as Markdown; a list becomes sentences."""
    value = " ".join(value) if isinstance(value, list) else value
    for pattern, replace in MARKS:
        value = pattern.sub(replace, value)
    return value


def rows(options, prefix=""):
    """One table row an option, inner options after theirs."""
    for name, option in options.items():
        kind = option.get("type", "str")
        if option.get("elements"):
            kind += f" of {option['elements']}"
        default = f"`{option['default']}`" if "default" in option else ("required" if option.get("required") else "")
        about = text(option["description"]).replace("|", "\\|")
        if option.get("choices"):
            about += " One of " + ", ".join(f"`{choice}`" for choice in option["choices"]) + "."
        yield f"| `{prefix}{name}` | {kind} | {default} | {about} |"
        yield from rows(option.get("options") or {}, f"{prefix}{name}.")


def readme(role):
    """The README of one role: purpose, example, inputs, and what its ``meta/about.yml`` says of outputs and undoing."""
    spec = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]["main"]
    about = yaml.safe_load((role / "meta" / "about.yml").read_text(encoding="utf-8"))
    lines = [
        f"# {role.name}",
        "",
        "<!-- Generated from meta/argument_specs.yml and meta/about.yml by tools/roles_doc.py. -->",
        "",
    ]
    lines += [text(line) for line in spec["description"]] + [""]
    for title in ("example", "outputs", "touches", "undo"):
        lines += [f"## {title.capitalize()}", "", about[title].rstrip(), ""]
    lines += [
        "## Inputs",
        "",
        "| variable | type | default | meaning |",
        "|---|---|---|---|",
        *rows(spec["options"]),
        "",
    ]
    return "\n".join(lines)


def main():
    """Write or check all of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing, name what is not current")
    check = parser.parse_args().check
    stale = []
    for role in sorted((ROOT / "roles").iterdir()):
        path = role / "README.md"
        content = readme(role)
        if check and (not path.exists() or path.read_text(encoding="utf-8") != content):
            stale.append(str(path.relative_to(ROOT)))
        elif not check:
            path.write_text(content, encoding="utf-8")
    if stale:
        sys.exit("not current, run `make docs`: " + ", ".join(stale))


if __name__ == "__main__":
    main()
