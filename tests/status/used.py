"""Does every metric that dashboard and rules use exist in a scrape?

    used.py METRICS FILE...

Names and the labels that are matched or grouped by are held against the
families of METRICS. "instance", "job" and "le" are not ours to have.
"""
import json
import re
import sys

GIVEN = {"instance", "job", "le"}


def families(path):
    """Name of each family to the labels of its samples."""
    known, kinds = {}, {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith("# TYPE "):
                _, _, name, kinds[name] = line.split()
                known[name] = set()
            elif not line.startswith("#"):
                name = re.match(r"[a-z_]+", line).group()
                family = base(name, kinds)
                known[family] |= set(re.findall(r'[{,]([a-z_]+)="', line))
    return known, kinds


def base(name, kinds):
    for suffix in ("_bucket", "_sum", "_count"):
        stem = name.removesuffix(suffix)
        if kinds.get(stem) == "histogram":
            return stem
    return name


def texts(path):
    """The expressions of a file: every string of JSON, the text of YAML."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if not path.endswith(".json"):
        return [text]
    found = []

    def walk(value):
        if isinstance(value, dict):
            for member in value.values():
                walk(member)
        elif isinstance(value, list):
            for member in value:
                walk(member)
        elif isinstance(value, str):
            found.append(value)

    walk(json.loads(text))
    return found


def main():
    known, kinds = families(sys.argv[1])
    wrong, seen = set(), set()
    for path in sys.argv[2:]:
        for text in texts(path):
            for name, matchers in re.findall(
                    r"\b(mihfs_[a-z_]+)(?:\{([^}]*)\})?", text):
                family = base(name, kinds)
                seen.add(family)
                if family not in known:
                    wrong.add(f"{path}: no metric is called {name}")
                    continue
                for label in re.findall(r"([a-z_]+)\s*[=!]", matchers):
                    if label not in known[family] | GIVEN:
                        wrong.add(f"{path}: {name} has no label {label}")
    if not seen:
        wrong.add("no metric is used at all")
    print("\n".join(sorted(wrong)))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
