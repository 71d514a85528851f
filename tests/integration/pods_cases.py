"""Workloads of manifests, all containers of which one campaign settles."""
import json

import yaml

from support import IMAGE, contains, equal, project, rogate

GOES_ON = "echo up > /dev/shm/up; while :; do sleep 0.1; done"
READY = "readinessProbe: {timeoutSeconds: 30, exec: {command: [test, -e, /dev/shm/up]}}"


def container(name, shell, more="", goes_on=True):
    """A container in YAML's flow style; `more` begins with a key."""
    probe = f", {READY}" if goes_on else ""
    words = json.dumps(["bash", "-c", f"trap 'exit 0' TERM; {shell}; {GOES_ON}" if goes_on else shell])
    return f"{{name: {name}, image: {IMAGE}, command: {words}{probe}{', ' if more else ''}{more}}}"


def pod(name, init=(), containers=(), volumes="", more=""):
    lines = "\n".join(["  initContainers:", *(f"  - {each}" for each in init)]) if init else ""
    return (f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, labels: {{app: {name}}}}}\nspec:\n  terminationGracePeriodSeconds: 5\n"
            f"{more}{lines}\n  containers:\n" + "\n".join(f"  - {each}" for each in containers) + f"\n  volumes: [{volumes}]\n---\n")


def write(p, *objects):
    with open(p.path("all.yaml"), "w") as out:
        out.write("".join(objects))


def settled(p, *words):
    done = rogate("run", p.path("all.yaml"), "--soak", "0s", "--out", p.path("out"), *words)
    return done


def result(p, name):
    with open(p.path(f"out/{name}/result.json")) as file:
        return json.load(file)


def verdicts(p, *names):
    return {name: {each["target"]: each["verdict"] for each in result(p, name)["mounts"] if each["target"] != "/"} for name in names}


def reason(p, name, target):
    return next(each["reason"] for each in result(p, name)["mounts"] if each["target"] == target)


def patched(p):
    """What is read-only now, by container and target."""
    with open(p.path("all.yaml")) as file:
        spec = next(each for each in yaml.safe_load_all(file) if each)["spec"]
    return {each["name"]: {mount["mountPath"]: mount.get("readOnly", False) for mount in each["volumeMounts"]}
            for each in spec["initContainers"] + spec["containers"]}


def test_an_empty_dir_that_two_containers_share():
    """One writes, the other one reads; an init container makes what both need, and a sidecar is there before either."""
    work = "volumeMounts: [{name: work, mountPath: %s}, {name: conf, mountPath: /conf}]"
    with project() as p:
        write(p, pod("shop", [
            container("proxy", "test ! -e /w/late", "restartPolicy: Always, startupProbe: {timeoutSeconds: 30, exec: {command: [test, -e, /dev/shm/up]}}, "
                      "volumeMounts: [{name: work, mountPath: /w}]"),
            container("first", "touch /w/late; echo made > /conf/made", work % "/w", goes_on=False),
        ], [
            container("reader", "cat /conf/made; until test -s /in/page; do sleep 0.1; done; cat /in/page", work % "/in"),
            container("writer", "cat /conf/made; date > /out/page || exit 3", work % "/out"),
        ], "{name: work, emptyDir: {}}, {name: conf, emptyDir: {}}"))
        done = settled(p)
        equal(done.returncode, 0, done.stdout + done.stderr)
        equal(verdicts(p, "shop.proxy", "shop.first", "shop.reader", "shop.writer"),
              {"shop.proxy": {"/w": "untested"}, "shop.first": {"/conf": "required", "/w": "tolerated"},
               "shop.reader": {"/in": "safe", "/conf": "safe"}, "shop.writer": {"/out": "required", "/conf": "safe"}}, done.stdout)
        contains(done.stdout, "settled all of them")
        advice = result(p, "shop.reader")["recommendation"]
        equal(advice["read_only"], ["/conf", "/in"])
        proof = next(each for each in result(p, "shop.writer")["runs"] if each["id"] == advice["verified_by_run"])
        assert proof["passed"] and "shop/reader:/in" in proof["beside"], proof
        files = [p.path(f"out/shop.{name}/result.json") for name in ("proxy", "first", "reader", "writer")]
        done = rogate("patch", *files, "--in-place", "--root", p.folder)
        equal(done.returncode, 0, done.stdout + done.stderr)
        equal(patched(p), {"proxy": {"/w": False}, "first": {"/conf": False, "/w": True}, "reader": {"/conf": True, "/in": True},
                           "writer": {"/conf": True, "/out": False}})


def test_a_container_of_one_pod_waits_for_another_pod():
    """By its Service's name, in an init container: the other pod is started meanwhile. Both name one claim, of which one writes."""
    claim = "{name: data, persistentVolumeClaim: {claimName: data}}"
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: store}\nspec: {selector: {app: db}, ports: [{port: 80}]}\n"
    with project() as p:
        write(p,
              pod("app", [container("waits", "until getent hosts store && grep -q . /data/file; do sleep 0.1; done",
                                    "volumeMounts: [{name: data, mountPath: /data}]", goes_on=False)],
                  [container("web", "cat /data/file", "volumeMounts: [{name: data, mountPath: /data, subPath: ''}]"),
                   container("part", "touch /part/new || exit 3", "volumeMounts: [{name: data, mountPath: /part, subPath: a/b}]")], claim),
              pod("db", [], [container("db", "date > /store/file || exit 3; until test -e /store/a/b/new; do sleep 0.1; done",
                                       "volumeMounts: [{name: data, mountPath: /store}]")], claim),
              service)
        done = settled(p)
        equal(done.returncode, 0, done.stdout + done.stderr)
        equal(verdicts(p, "app.waits", "app.web", "app.part", "db.db"),
              {"app.waits": {"/data": "safe"}, "app.web": {"/data": "safe"}, "app.part": {"/part": "required"}, "db.db": {"/store": "required"}},
              done.stdout)
        contains(reason(p, "app.web", "/data"), "the runs had an empty claim there")


def test_what_an_init_container_fails_at_costs_its_pod_alone():
    with project() as p:
        work = "volumeMounts: [{name: work, mountPath: /w}]"
        auth = "volumeMounts: [{name: work, mountPath: /w}, {name: auth, mountPath: /auth}]"
        write(p, "apiVersion: v1\nkind: Secret\nmetadata: {name: auth}\nstringData: {key: from-the-vault}\n---\n",
              pod("bad", [container("first", "echo no table >&2; cat /auth/key >&2; exit 7", auth, goes_on=False)],
                  [container("web", "cat /w/x", work)], "{name: work, emptyDir: {}}, {name: auth, secret: {secretName: auth}}"),
              pod("good", [], [container("web", "cat /w/* || true", work), container("side", "touch /w/new || exit 3", work)],
                  "{name: work, emptyDir: {}}"))
        done = settled(p)
        equal(done.returncode, 1, done.stdout + done.stderr)
        equal(verdicts(p, "bad.first", "bad.web", "good.web", "good.side"),
              {"bad.first": {"/auth": "already-ro", "/w": "inconclusive"}, "bad.web": {"/w": "inconclusive"}, "good.web": {"/w": "safe"}, "good.side": {"/w": "required"}},
              done.stdout)
        contains(reason(p, "bad.first", "/w"), "container 'bad/first' had exited by itself with code 7", "no table")
        with open(p.path("out/bad.first/result.json")) as file:
            text = file.read()
        assert "from-the-vault" not in text + done.stdout + done.stderr, text
        contains(reason(p, "bad.web", "/w"), "container 'bad/first', which 'bad/web' waits for, exited with code 7")


def test_containers_of_a_pod_have_one_network_and_what_the_group_owns():
    """Of two pods with groups of their own; what is split off a root is made as the kubelet makes an emptyDir."""
    with project() as p:
        lean = "securityContext: {runAsUser: 4711, runAsGroup: 4711}"
        write(p, pod("a", [], [
            container("web", "{ perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalPort => 8080, Listen => 5, ReuseAddr => 1); "
                      "while ($c = $s->accept) { print $c qq(HTTP/1.0 200 OK\\r\\n\\r\\nhello\\n); close $c }' & }", "ports: [{containerPort: 8080}]"),
            container("asks", "until test x$(exec 3<>/dev/tcp/127.0.0.1/8080 && cat <&3 | tail -1) = xhello; do sleep 0.1; done; touch /w/new || exit 3",
                      f"volumeMounts: [{{name: w, mountPath: /w}}], {lean}")], "{name: w, emptyDir: {}}", "  securityContext: {fsGroup: 33}\n"),
            pod("b", [], [container("root", "mkdir -p /run/app && echo x > /run/app/pid || exit 3")]))
        done = settled(p, "--rootfs")
        equal(done.returncode, 0, done.stdout + done.stderr)
        equal(verdicts(p, "a.asks"), {"a.asks": {"/w": "required"}}, done.stdout)
        writable = result(p, "b.root")["recommendation"]["writable"]
        equal([each["as"] for each in writable], ["tmpfs"], done.stdout)
        assert "33" not in json.dumps(writable), writable
        equal(result(p, "a.web")["exercised"][:1], ["1 page of port 8080"])
