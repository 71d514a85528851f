"""compare_plan.py ROGATE DOCKER_COMPOSE PATH…: whether `rogate plan` reads Compose files, or folders with one, as docker compose
does: services, images, commands, names of variables, networks, and mounts with type, source, target and mode."""
import json
import os
import posixpath
import subprocess
import sys


def asked(command, path):
    folder = path if os.path.isdir(path) else os.path.dirname(path) or "."
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=folder)
    return done.returncode, done.stdout, done.stderr


def target(text):
    return posixpath.normpath(text)


def mounts_of_compose(service, model):
    found = {}
    for name in service.get("configs") or []:
        source = model["configs"][name["source"]]
        if "file" in source:
            found[target(posixpath.join("/", name.get("target") or name["source"]))] = ("bind", source["file"], True)
    for name in service.get("secrets") or []:
        source = model["secrets"][name["source"]]
        if "file" in source:
            found[target(posixpath.join("/run/secrets", name.get("target") or name["source"]))] = ("bind", source["file"], True)
    for text in service.get("tmpfs") or []:
        found[target(text.split(":")[0])] = ("tmpfs", "", "ro" in text.partition(":")[2].split(","))
    for mount in service.get("volumes") or []:
        kind, source = mount["type"], mount.get("source") or ""
        if kind == "volume" and source:
            source = model["volumes"][source].get("name") or f"{model['name']}_{source}"
        if kind == "volume" and not source:
            kind = "anonymous"
        found[target(mount["target"])] = (kind, source.rstrip("/") or source, bool(mount.get("read_only")))
    return found


def add_volumes_from(services, model):
    """docker compose keeps the key; the engine mounts them."""
    for name, service in model["services"].items():
        for text in service.get("volumes_from") or []:
            other, _, mode = text.partition(":")
            for place, (kind, source, read_only) in services[other]["mounts"].items():
                if kind != "tmpfs":
                    services[name]["mounts"].setdefault(place, (kind, source, read_only or mode == "ro"))


def of_compose(model):
    services = {}
    for name, service in model["services"].items():
        services[name] = {
            "image": service.get("image") or f"{model['name']}-{name}",
            "entrypoint": service.get("entrypoint"),
            "command": service.get("command"),
            "environment": sorted(service.get("environment") or {}),
            "networks": sorted(service.get("networks") or {}),
            "mounts": mounts_of_compose(service, model),
        }
    add_volumes_from(services, model)
    return services


def of_plan(plan):
    services = {}
    for container in plan["containers"]:
        services[container["name"]] = {
            "image": container["image"],
            "entrypoint": container["entrypoint"],
            "command": container["command"],
            "environment": sorted(container["environment"] + container["unset_environment"]),
            "networks": sorted(container["networks"]),
            "mounts": {each["target"]: (each["type"], each["source"], each["read_only"])
                       for each in container["mounts"] if each["type"] != "rootfs"},
        }
    return services


def same(key, ours, theirs):
    if key in ("command", "entrypoint") and ours and theirs and len(ours) == len(theirs):
        return all("***" in a or a == b for a, b in zip(ours, theirs))  # a secret is masked
    return ours == theirs or (key in ("command", "entrypoint") and not ours and not theirs)


def differences(rogate, docker_compose, path):
    options = [] if os.path.isdir(path) else ["-f", os.path.basename(path)]
    code, text, trouble = asked([docker_compose, *options, "config", "--format", "json"], path)
    ours_code, ours, why = asked([rogate, "plan", "-f", "json", "." if os.path.isdir(path) else os.path.basename(path)], path)
    if code != 0:
        if ours_code == 0:
            yield f"docker compose refuses it: {trouble.strip()}"
        return
    if not ours:
        yield f"rogate refuses it: {why.strip()}"
        return
    plan = json.loads(ours)["plans"][0]
    theirs, ours = of_compose(json.loads(text.replace("$$", "$"))), of_plan(plan)  # a '$' is escaped there
    for each in plan["refused"]:
        yield f"rogate refuses service {each['container']}: {'; '.join(each['why'])}"
    for name in sorted(set(theirs) ^ set(ours)):
        yield f"service {name} is in {'docker compose' if name in theirs else 'rogate'} only"
    for name in sorted(set(theirs) & set(ours)):
        for key in theirs[name]:
            if not same(key, ours[name][key], theirs[name][key]):
                yield f"service {name}: {key} is {ours[name][key]}; docker compose has {theirs[name][key]}"


def main():
    rogate, docker_compose, paths = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), sys.argv[3:]
    wrong = 0
    if not paths:
        sys.exit("compare_plan.py: name Compose files, or folders with one")
    for path in paths:
        for each in differences(rogate, docker_compose, path):
            print(f"{path}: {each}")
            wrong += 1
    print(f"{len(paths)} projects compared, {wrong} differences")
    return 1 if wrong else 0


sys.exit(main())
