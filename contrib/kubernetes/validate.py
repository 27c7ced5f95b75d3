#!/usr/bin/env python3
"""Check manifests against the Kubernetes schemas, strictly, and against mihfs.

    validate.py [--mihfs PROGRAM] FILE...

Prints one line per problem and ends with 1 if there was one. A field that the
schemas do not know is a problem, and so is a resource that nobody describes.
With --mihfs, every option that a container gives to mihfs must be one that
"mihfs COMMAND --help" names. Needs kubernetes-validate.
"""
import argparse
import os
import subprocess
import sys

import kubernetes_validate
import yaml

VERSION = "1.35"

# Custom resources have no published schema of that kind: what may stand there,
# as far as the manifests use it. A dict describes a mapping, a list its items;
# POD stands for a PodSpec, whose other fields are passed on to the real schema.
POD = "pod"
META = {"name": str, "namespace": str, "labels": None, "annotations": None}
CUSTOM = {
    ("serving.kserve.io/v1beta1", "InferenceService"): {
        "apiVersion": str, "kind": str, "metadata": META,
        "spec": {"predictor": {POD: {"minReplicas": int, "maxReplicas": int,
                                     "model": None, "timeout": int}}},
    },
    ("ml.sigstore.dev/v1alpha1", "ModelValidation"): {
        "apiVersion": str, "kind": str, "metadata": META,
        "spec": {
            "model": {"path": str, "signaturePath": str},
            "config": {
                "sigstoreConfig": {"certificateIdentity": str,
                                   "certificateOidcIssuer": str},
                "pkiConfig": {"certificateAuthority": str},
                "privateKeyConfig": {"keyPath": str},
            },
        },
    },
}
# Of kustomize itself, which says by its own exit status what it understands.
KUSTOMIZE = {"Kustomization", "Component"}


def check_pod(spec, where):
    """A PodSpec that stands in a custom resource, by the schema of a Pod."""
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"},
           "spec": spec}
    for problem in check_schema(pod):
        yield f"{where}: {problem}"


def check_custom(value, rule, where):
    if rule is None:
        return
    if isinstance(rule, type):
        if not isinstance(value, rule):
            yield f"{where}: not of type {rule.__name__}"
        return
    if not isinstance(value, dict):
        yield f"{where}: not a mapping"
        return
    if POD in rule:
        own = rule[POD]
        pod = {k: v for k, v in value.items() if k not in own}
        value = {k: v for k, v in value.items() if k in own}
        rule = own
        yield from check_pod(pod, where)
    for key, member in value.items():
        if key not in rule:
            yield f"{where}: {key} was unexpected"
        else:
            yield from check_custom(member, rule[key], f"{where}.{key}")


def check_schema(doc):
    try:
        kubernetes_validate.validate(doc, VERSION, strict=True)
    except kubernetes_validate.ValidationError as e:
        yield f"{'.'.join(str(p) for p in e.path)}: {e.message}"
    except kubernetes_validate.SchemaNotFoundError:
        yield f"no schema for {doc.get('apiVersion')} {doc.get('kind')}"


def check(doc):
    kind = (doc.get("apiVersion"), doc.get("kind"))
    if kind in CUSTOM:
        return check_custom(doc, CUSTOM[kind], kind[1])
    return check_schema(doc)


def containers(node):
    """Every container, wherever a pod is described."""
    if isinstance(node, list):
        for item in node:
            yield from containers(item)
    elif isinstance(node, dict):
        if isinstance(node.get("image"), str) and "name" in node:
            yield node
        for item in node.values():
            yield from containers(item)


def command_lines(container):
    """What mihfs is called with: the container's own, and its probes."""
    if "mihfs" in container["image"].rsplit("/", 1)[-1].split(":")[0]:
        yield container.get("args", [])
    for action in execs(container):
        if os.path.basename(action[0]) == "mihfs":
            yield action[1:]


def execs(node):
    if isinstance(node, dict):
        if isinstance(node.get("exec"), dict):
            yield node["exec"]["command"]
        for item in node.values():
            yield from execs(item)


def help_of(mihfs, command):
    done = subprocess.run([mihfs, command, "--help"], capture_output=True,
                          text=True)
    return done.stdout if done.returncode == 0 else None


def check_commands(doc, mihfs):
    for container in containers(doc):
        for words in command_lines(container):
            known = help_of(mihfs, words[0]) if words else None
            if known is None:
                yield f"{container['name']}: mihfs has no command {words[:1]}"
                continue
            for word in words[1:]:
                option = word.split("=")[0]
                if option.startswith("--") and f"{option} " not in known:
                    yield (f"{container['name']}: mihfs {words[0]} has no "
                           f"option {option}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mihfs")
    parser.add_argument("files", nargs="+")
    args = parser.parse_args()
    bad = 0
    for path in args.files:
        with open(path, encoding="utf-8") as f:
            docs = [d for d in yaml.safe_load_all(f) if d]
        for doc in docs:
            if doc.get("kind") in KUSTOMIZE:
                continue
            problems = list(check(doc))
            if args.mihfs:
                problems += check_commands(doc, args.mihfs)
            for problem in problems:
                print(f"{path}: {doc.get('kind')}: {problem}")
            bad += len(problems)
        if not docs:
            print(f"{path}: empty")
            bad += 1
    sys.exit(1 if bad else 0)


main()
