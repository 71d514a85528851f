"""Kubernetes manifests as people have them, run with the pod around the subject."""
import os
import shutil
import subprocess

from support import IMAGE, ROGATE, ROOT, contains, docker, engine_is_podman, equal, fingerprint, needs_root, project, skip_unless

MANIFESTS = f"{ROOT}/tests/integration/kubernetes"


def copied(p, name):
    shutil.copytree(f"{MANIFESTS}/{name}", p.folder, dirs_exist_ok=True)


def reasons(p):
    return {mount["target"]: mount["reason"] for mount in p.result["mounts"]}


def test_deployment_is_settled_and_patched():
    """Init container, container beside it, ConfigMap, Secret, downward API, emptyDir on disk and in memory."""
    with project() as p:
        copied(p, "site")
        done = p.run()
        equal(done.returncode, 0, done.stdout + done.stderr)
        before = {"/etc/nginx/auth": "already-ro", "/etc/nginx/conf.d/default.conf": "already-ro", "/run/nginx": "required",
                  "/usr/share/nginx/html": "safe", "/var/cache/nginx": "required", "/var/log/site": "required"}
        equal(p.verdicts(), before, done.stdout)
        with open(p.path("out/result.json")) as file:
            assert "from-the-vault" not in file.read()
        patched = subprocess.run([ROGATE, "patch", p.path("out/result.json"), "--in-place"], cwd=p.folder, text=True,
                                 capture_output=True)
        equal(patched.returncode, 0, patched.stdout + patched.stderr)
        with open(p.path("site.yaml")) as new, open(f"{MANIFESTS}/site/site.yaml") as old:
            equal(new.read().replace("              readOnly: true\n            - name: logs\n", "            - name: logs\n", 1), old.read())
        done = p.run()
        equal(done.returncode, 0, done.stdout + done.stderr)
        equal(p.verdicts(), {**before, "/usr/share/nginx/html": "already-ro"}, done.stdout)


def test_stateful_set_keeps_the_data_of_its_claim():
    """A claim's data by two sub-paths, owned by the pod's group; a container that was started before the subject and goes on."""
    with project() as p:
        copied(p, "queue")
        p.make("data", {"note": "mine\n"})
        docker("run", "--rm", "-v", f"{p.path('data')}:/data", "rogate/redis:bookworm", "sh", "-c",
               "mkdir /data/redis && redis-server --dir /data/redis --daemonize yes --save '' --appendonly yes >/dev/null;"
               "until redis-cli set old kept; do sleep 0.1; done; redis-cli shutdown")
        before = fingerprint(p.path("data"))
        done = p.run()
        equal(done.returncode, 0, done.stdout + done.stderr)
        equal(p.verdicts(), {"/backups": "safe", "/data": "required", "/etc/redis": "already-ro", "/etc/redis.d": "safe"},
              done.stdout)
        equal(fingerprint(p.path("data")), before, "the claim's data were touched")


def manifest(p, pod, values=""):
    with open(p.path("pod.yaml"), "w") as out:
        out.write("apiVersion: v1\nkind: Pod\nmetadata: {name: one}\nspec:\n" + pod)
    with open(p.path("scenario.yaml"), "w") as out:
        out.write(f"subject: {{kubernetes: {{file: pod.yaml, container: app, values: {{{values}}}}}}}\n")


# Ready when both have said that they are: the sidecar before anything else starts, the other one some time after.
PROBED = f"""  terminationGracePeriodSeconds: 1
  initContainers:
  - name: proxy
    image: {IMAGE}
    restartPolicy: Always
    command: [sh, -c, "sleep 1; touch /s/proxy; exec sleep 1000"]
    startupProbe: {{exec: {{command: [test, -e, /s/proxy]}}}}
    volumeMounts: [{{name: s, mountPath: /s}}]
  - {{name: late, image: {IMAGE}, command: [test, -e, /s/proxy], volumeMounts: [{{name: s, mountPath: /s}}]}}
  containers:
  - {{name: app, image: {IMAGE}, command: [sh, -c, "trap 'exit 0' TERM; cat /data/kept; while :; do sleep 0.1; done"],
     volumeMounts: [{{name: s, mountPath: /s}}, {{name: data, mountPath: /data}}]}}
  - name: beside
    image: {IMAGE}
    command: [bash, -c, "test -e /s/before || {{ touch /s/before; exit 7; }}; sleep 1; touch /s/beside; \
              perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalPort => 9090, Listen => 5, ReuseAddr => 1); close $s->accept while 1'"]
    readinessProbe: {{tcpSocket: {{port: 9090}}}}
    volumeMounts: [{{name: s, mountPath: /s}}]
  volumes: [{{name: s, emptyDir: {{}}}}, {{name: data, hostPath: {{path: FOLDER}}}}]
"""


def with_probes(p, *change):
    manifest(p, PROBED.replace("FOLDER", p.path("data")).replace(*change))
    with open(p.path("scenario.yaml"), "w") as out:
        out.write("subject: {kubernetes: {file: pod.yaml, container: app}}\ncandidates: [/data]\nready: {timeout: 8s, exec: test -e /data/kept}\n"
                  "steps: [{name: looks, exec: ls /data /s/proxy /s/beside}]\n")
    done = p.run("--requests", "relay")
    assert p.result, done.stdout + done.stderr
    return done


def test_the_pod_is_ready_when_every_container_is():
    with project() as p:
        p.make("data", {"kept": "mine\n"})
        done = with_probes(p, "", "")
        equal((done.returncode, p.verdicts()["/data"]), (0, "safe"), done.stdout + done.stderr)
        done = with_probes(p, "port: 9090", "port: 9091")
        equal(done.returncode, 1, done.stdout)
        contains(p.mount("/data")["reason"], "container 'beside' is not ready within 8.0 s: port 9091: Connection refused (readinessProbe)",
                 "container 'beside' ended and was started again once")
        done = with_probes(p, "[test, -e, /s/proxy]}", "[test, -e, /s/nothing]}")
        equal(done.returncode, 1, done.stdout)
        contains(p.mount("/data")["reason"], "container 'proxy' is not ready within 8.0 s", "startupProbe")


def test_init_container_that_fails():
    with project() as p:
        manifest(p, f"""  initContainers:
  - {{name: migrate, image: {IMAGE}, command: [sh, -c, "echo no table >&2; exit 7"]}}
  containers:
  - {{name: app, image: {IMAGE}, command: [ls, /data], volumeMounts: [{{name: data, mountPath: /data}}]}}
  volumes: [{{name: data, emptyDir: {{}}}}]
""")
        done = p.run()
        equal(done.returncode, 1, done.stdout + done.stderr)
        contains(done.stdout, "init container 'migrate' exited with code 7", "no table")
        equal(p.verdicts(), {"/data": "inconclusive"})


def test_sub_path_that_is_a_link_is_not_followed():
    """It could lead anywhere on the engine's host."""
    skip_unless(not engine_is_podman(), "podman's archive calls do not tell a link that leads nowhere in the container from nothing")
    with project() as p:
        os.mkdir(p.path("secret"))
        manifest(p, f"""  initContainers:
  - {{name: links, image: {IMAGE}, command: [ln, -s, {p.path("secret")}, /data/out], volumeMounts: [{{name: data, mountPath: /data}}]}}
  containers:
  - {{name: app, image: {IMAGE}, command: [touch, /data/x], volumeMounts: [{{name: data, mountPath: /data, subPath: out/in}}]}}
  volumes: [{{name: data, emptyDir: {{}}}}]
""")
        done = p.run()
        assert done.returncode not in (0, 4), done.stdout
        contains(done.stdout + done.stderr, "mount /data", "'out' of the volume is a symbolic link")
        equal(os.listdir(p.path("secret")), [])


def test_a_claim_is_the_groups_from_its_root_on():
    """Another user than the data's owner, who is in the pod's group, writes beside and into what is there."""
    with project() as p:
        p.make("claim", {"kept": "mine\n"})
        os.chmod(p.path("claim"), 0o755)
        before = fingerprint(p.path("claim"))
        manifest(p, f"""  securityContext: {{runAsUser: 4711, runAsGroup: 4711, fsGroup: 33}}
  containers:
  - {{name: app, image: {IMAGE}, command: [sh, -ec, "echo x >>/data/kept; mkdir /data/new"],
     volumeMounts: [{{name: data, mountPath: /data}}]}}
  volumes: [{{name: data, persistentVolumeClaim: {{claimName: mine}}}}]
""", "claims: {mine: ./claim}")
        done = p.run()
        equal(done.returncode, 0, done.stdout + done.stderr)
        equal(p.verdicts(), {"/data": "required"}, done.stdout)
        equal(fingerprint(p.path("claim")), before, "the claim's data were touched")


def test_mounts_below_a_host_path_are_out_of_reach():
    """A read-only bind is the real thing, and what is mounted below it stays writable on this engine."""
    needs_root()
    with project() as p:
        os.makedirs(p.path("host/below"))
        subprocess.run(["mount", "-t", "tmpfs", "rogate-test", p.path("host/below")], check=True)
        try:
            with open(p.path("host/below/kept"), "w") as out:
                out.write("mine")
            writes = "[sh, -c, cat /h/below/kept && echo x >/h/below/new]"
            manifest(p, f"""  initContainers:
  - {{name: first, image: {IMAGE}, command: {writes}, volumeMounts: [{{name: host, mountPath: /h, readOnly: true}}]}}
  containers:
  - {{name: app, image: {IMAGE}, command: {writes}, volumeMounts: [{{name: host, mountPath: /h, readOnly: true}}]}}
  volumes: [{{name: host, hostPath: {{path: {p.path("host")}}}}}]
""")
            done = p.run()
            equal(done.returncode, 0, done.stdout + done.stderr)
            equal(os.listdir(p.path("host/below")), ["kept"], done.stdout)
        finally:
            subprocess.run(["umount", p.path("host/below")], check=True)


def test_claim_that_names_no_volume():
    with project() as p:
        manifest(p, f"""  containers:
  - {{name: app, image: {IMAGE}, command: [ls, /data], volumeMounts: [{{name: data, mountPath: /data}}]}}
  volumes: [{{name: data, persistentVolumeClaim: {{claimName: mine}}}}]
""", "claims: {mine: rogate-test-nobody}")
        done = p.run()
        equal(done.returncode, 2, done.stdout + done.stderr)
        contains(done.stderr, "no volume 'rogate-test-nobody'", "'empty'")


# The container beside it must see what is written, and the subject what the init container wrote.
SHARED = f"""  securityContext: {{fsGroup: 33}}
  initContainers:
  - {{name: first, image: {IMAGE}, command: [sh, -c, echo begun >/all/state/begun], volumeMounts: [{{name: data, mountPath: /all}}]}}
  containers:
  - name: app
    image: {IMAGE}
    command:
    - sh
    - -ec
    - trap 'exit 0' TERM; cat /data/static/page /data/state/old /data/state/begun; mkdir -p /data/run; echo $$ >/data/run/app.pid;
      echo x >>/data/state/new; while :; do sleep 0.1; done
    volumeMounts:
    - name: data
      mountPath: /data
    - {{name: s, mountPath: /s}}
  - {{name: side, image: {IMAGE}, command: [sh, -c, "until test -s /all/state/new; do sleep 0.1; done; touch /s/seen; exec sleep 1000"],
     volumeMounts: [{{name: data, mountPath: /all}}, {{name: s, mountPath: /s}}]}}
  volumes:
  - {{name: data, persistentVolumeClaim: {{claimName: mine}}}}
  - {{name: s, emptyDir: {{}}}}
"""
ALONE = f"""  containers:
  - name: app
    image: {IMAGE}
    command:
    - sh
    - -ec
    - trap 'exit 0' TERM; cat /data/static/page /data/state/old; echo x >>/data/state/new; while :; do sleep 0.1; done
    volumeMounts:
    - name: data
      mountPath: /data
  volumes:
  - {{name: data, hostPath: {{path: FOLDER}}}}
"""


def of_split(p, pod, values, more):
    p.make("claim/static", {"page": "page\n"})
    p.make("claim/state", {"old": "mine\n"})
    before = fingerprint(p.path("claim"))
    manifest(p, pod.replace("FOLDER", p.path("claim")), values)
    with open(p.path("scenario.yaml"), "a") as out:
        out.write("candidates: [/data]\n" + more)
    done = p.run()
    equal(fingerprint(p.path("claim")), before, "the data were touched")
    equal(done.returncode, 0, done.stdout + done.stderr)
    equal(p.mount("/data")["verdict"], "split", done.stdout + done.stderr)
    return {path["path"]: path["as"] for path in p.result["recommendation"]["writable"]}


def patched(p):
    done = subprocess.run([ROGATE, "patch", p.path("out/result.json"), "--in-place"], cwd=p.folder, text=True, capture_output=True)
    equal(done.returncode, 0, done.stdout + done.stderr)
    with open(p.path("pod.yaml")) as file:
        return file.read()


def test_a_claim_of_several_containers_is_split():
    with project() as p:
        writable = of_split(p, SHARED, "claims: {mine: ./claim}", "ready: {exec: test -e /s/seen}\n")
        equal(writable, {"/data/run": "tmpfs", "/data/state": "volume"})
        contains(patched(p), "readOnly: true", "subPath: state", "medium: Memory")
        os.mkdir(p.path("claim/run"))  # as the recommendation says
        with open(p.path("scenario.yaml")) as file:
            scenario = file.read().replace("[/data]", "[/data/run, /data/state]")
        with open(p.path("scenario.yaml"), "w") as out:
            out.write(scenario)
        skip_unless(not engine_is_podman(), "podman's tmpfs is always root's; that of the patched pod is the group's")
        done = p.run()
        verdicts = {target: verdict for target, verdict in p.verdicts().items() if target.startswith("/data")}
        equal(verdicts, {"/data": "already-ro", "/data/run": "required", "/data/state": "required"}, done.stdout + done.stderr)


def test_a_host_path_is_split_in_every_state():
    with project() as p:
        writable = of_split(p, ALONE, "", "ready: {exec: test -s /data/state/new}\nstates: [current, used, crash]\n")
        equal(writable, {"/data/state": "volume"})
        contains(patched(p), "subPath: state")


def test_a_host_path_of_several_containers_is_not_split():
    """Its parts would be overlays of their own, and others would not see what is written there."""
    with project() as p:
        p.make("claim/static", {"page": "page\n"})
        p.make("claim/state", {"old": "mine\n"})
        manifest(p, ALONE.replace("FOLDER", p.path("claim")).replace("  volumes:\n", f"""  - {{name: side, image: {IMAGE}, command: [sleep, '1000'],
     volumeMounts: [{{name: data, mountPath: /all}}]}}
  volumes:
"""))
        with open(p.path("scenario.yaml"), "a") as out:
            out.write("candidates: [/data]\nready: {exec: test -s /data/state/new}\n")
        done = p.run()
        equal((done.returncode, p.verdicts()), (0, {"/data": "required"}), done.stdout + done.stderr)
