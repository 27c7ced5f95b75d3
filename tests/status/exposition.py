"""Check metrics against the text format of Prometheus 0.0.4.

    exposition.py FILE            complain about whatever breaks a rule
    exposition.py FILE --names    print the names of all families
    exposition.py FILE --value SERIES    print one sample, as it is spelled

Rules: every sample belongs to a family with HELP and TYPE before it, which
appears once; counters end in _total and are no less than 0; histograms have
rising bounds, cumulative buckets, +Inf, _sum and _count; no series twice.
"""
import re
import sys

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{((?:{LABEL})(?:,{LABEL})*)\}})? (\S+)")


class Family:
    def __init__(self, name):
        self.name, self.kind, self.help, self.samples = name, None, None, []


def family_of(sample, families):
    for suffix in ("_bucket", "_sum", "_count"):
        base = sample.removesuffix(suffix)
        if base != sample and base in families and \
                families[base].kind == "histogram":
            return families[base]
    return families.get(sample)


def parse_comment(line, families, complain):
    what, name, rest = line[2:].split(" ", 2)
    family = families.setdefault(name, Family(name))
    if family.samples:
        complain(f"{name}: {what} after its samples")
    if what == "HELP":
        if family.help is not None or not rest:
            complain(f"{name}: HELP twice or empty")
        family.help = rest
    elif what == "TYPE":
        if family.kind is not None or rest not in (
                "counter", "gauge", "histogram"):
            complain(f"{name}: TYPE {rest}")
        family.kind = rest
    else:
        complain(f"unknown comment: {line}")


def parse(text, complain):
    families, seen, last = {}, set(), None
    if not text.endswith("\n"):
        complain("no newline at the end")
    for line in text.splitlines():
        if line.startswith("#"):
            parse_comment(line, families, complain)
            continue
        match = SAMPLE.fullmatch(line)
        if not match:
            complain(f"no sample: {line}")
            continue
        name, labels, value = match.groups()
        family = family_of(name, families)
        if family is None or family.kind is None or family.help is None:
            complain(f"{name}: no HELP and TYPE before it")
            continue
        if family.samples and last is not family:
            complain(f"{name}: its samples are not together")
        if (name, labels) in seen:
            complain(f"{line}: twice")
        seen.add((name, labels))
        family.samples.append((name, labels or "", float(value)))
        last = family
    return families


def check_histogram(family, complain):
    buckets = [(re.search(r'le="([^"]*)"', labels).group(1), value)
               for name, labels, value in family.samples
               if name.endswith("_bucket")]
    single = {name: value for name, _, value in family.samples
              if not name.endswith("_bucket")}
    bounds = [float(bound) for bound, _ in buckets]
    counts = [value for _, value in buckets]
    if not buckets or buckets[-1][0] != "+Inf":
        complain(f"{family.name}: no +Inf")
    if bounds != sorted(set(bounds)):
        complain(f"{family.name}: bounds do not rise")
    if counts != sorted(counts):
        complain(f"{family.name}: buckets are not cumulative")
    if single.get(family.name + "_count") != counts[-1]:
        complain(f"{family.name}: _count is not the last bucket")
    if family.name + "_sum" not in single:
        complain(f"{family.name}: no _sum")


def check(family, complain):
    if family.kind == "counter":
        if not family.name.endswith("_total"):
            complain(f"{family.name}: a counter without _total")
        if any(value < 0 for _, _, value in family.samples):
            complain(f"{family.name}: below 0")
    elif family.name.endswith("_total"):
        complain(f"{family.name}: _total, but no counter")
    if family.kind == "histogram":
        check_histogram(family, complain)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    complaints = []
    families = parse(text, complaints.append)
    for family in families.values():
        check(family, complaints.append)
    if not families:
        complaints.append("nothing there")
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    if sys.argv[2:] == ["--names"]:
        print("\n".join(sorted(families)))
    elif sys.argv[2:3] == ["--value"]:
        values = [line.rsplit(" ", 1)[1] for line in text.splitlines()
                  if line.rsplit(" ", 1)[0] == sys.argv[3]]
        print(*values)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
