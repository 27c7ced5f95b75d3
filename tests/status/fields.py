"""Compare doc/monitoring.md with what a mount really writes.

    fields.py DOCUMENT STATUS METRICS FAILURES MANIFEST

The first column of the tables below each heading names every field and every
metric; none may be missing, none may be left over.
"""
import json
import re
import sys


def documented(text, heading):
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text,
                        re.M | re.S)
    return set(re.findall(r"^\| `([^`]+)` \|", section.group(1), re.M))


def fields(value, path=""):
    """Paths of all members: a.b, and a[].b within arrays."""
    if isinstance(value, dict):
        for name, member in value.items():
            inner = f"{path}.{name}" if path else name
            if not isinstance(member, (dict, list)):
                yield inner
            yield from fields(member, inner)
    elif isinstance(value, list):
        for member in value:
            yield from fields(member, path + "[]")


def lines(path):
    with open(path, encoding="utf-8") as file:
        return {f for line in file for f in fields(json.loads(line))}


def metrics(path):
    with open(path, encoding="utf-8") as file:
        return set(re.findall(r"^# TYPE (\S+)", file.read(), re.M))


def main():
    document, status, scrape, failures, manifest = sys.argv[1:]
    with open(document, encoding="utf-8") as file:
        text = file.read()
    wrong = 0
    for heading, real in (("status.json", lines(status)),
                          ("Metrics", metrics(scrape)),
                          ("failures", lines(failures)),
                          ("manifest", lines(manifest))):
        told = documented(text, heading)
        for name in sorted(real - told):
            print(f"{heading}: {name} is not explained")
        for name in sorted(told - real):
            print(f"{heading}: {name} does not exist")
        wrong += len(real ^ told)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
