"""Verdicts that hold for several states of the data, and for several tries."""
import json
import os

from support import IDLE, IMAGE, LONG, contains, docker, engine_is_podman, equal, fingerprint, project, rogate, skip_unless, variants


def run_states(p, shell, states, mounts, **more):
    p.scenario(shell + IDLE, mounts, states=states, **more)
    return p.run()


def concluded(p):
    done = p.run()
    assert p.result, done.stdout + done.stderr
    return done


def states_of(p):
    return [(each["kind"], each.get("state", "current"), each.get("data_of")) for each in p.result["runs"]]


# Writes at the first start only: a used volume is read-only for it, a fresh one is not.
FIRST_START = "test -e /data/made || echo x >/data/made || exit 3; cat /data/made; "


def test_a_fresh_volume_is_filled_at_the_first_start():
    with project() as p:
        done = run_states(p, FIRST_START, ["used"], ["states-vol:/data"])
        equal(p.verdicts()["/data"], "safe", done.stdout + done.stderr)
        equal(states_of(p), [("control", "current", None), ("control", "used", 1), ("probe", "used", 1)])
        done = run_states(p, FIRST_START, ["fresh", "used"], ["states-vol:/data"])
        equal(p.verdicts()["/data"], "required", done.stdout)
        attempt = p.mount("/data")["attempts"][0]
        equal((attempt["path"], attempt["state"]), ("/data/made", "fresh"))
        assert "states-vol" not in docker("volume", "ls", "-q")


def test_a_crash_leaves_what_the_next_start_mends():
    # Like a lock file or a write-ahead log: there only while it runs, so only after a crash is there something to mend.
    shell = "trap 'rm -f /data/lock; exit 0' TERM; test -e /data/lock && { rm /data/lock || exit 4; }; cat /data/kept; \
 touch /data/lock 2>/dev/null; echo started; while :; do sleep 0.1; done #"
    with project() as p:
        p.make("data", {"kept": "k\n"})
        before = fingerprint(p.path("data"))
        done = run_states(p, shell, ["used"], ["./data:/data"])
        equal(p.verdicts()["/data"], "tolerated", done.stdout + done.stderr)
        done = run_states(p, shell, ["used", "crash"], ["./data:/data"])
        equal(p.verdicts()["/data"], "required", done.stdout + done.stderr)
        contains(p.mount("/data")["reason"], "exited with code 4")
        equal({each["state"] for each in p.mount("/data")["attempts"]}, {"crash"})
        equal([each["name"] for each in p.result["runs"][2]["phases"]][-1], "crash")
        equal(fingerprint(p.path("data")), before, "the user's data changed")


def test_all_states_on_every_kind_of_mount():
    with project() as p:
        p.make("data", {"kept": "k\n", "old": "o\n"})
        p.make("conf", {"one": "1\n"})
        docker("volume", "create", "rogate-test-states")
        try:
            docker("run", "--rm", "-v", "rogate-test-states:/v", "rogate/base:bookworm", "sh", "-c", "echo real >/v/real; chown 33:33 /v")
            # What the first full run leaves is there in the others, and what it removed is gone.
            shell = ("n=$(cat /anon/count 2>/dev/null || echo 0); echo $((n+1)) >/anon/count; ls /data /anon /v; rm -f /data/old; "
                     "echo $n >/data/last; touch /v/seen; cat /etc/one; chown 33:33 /anon; ")
            p.scenario(shell + IDLE, ["./data:/data", "/anon", "rogate-test-states:/v", "./conf/one:/etc/one"],
                       [{"name": "looks", "exec": "stat -c '%u' /anon /v; cat /data/last; ls /v", "timeout": "20s"}],
                       states=["fresh", "used", "restart", "crash"], candidates=["/etc/one"])
            before = fingerprint(p.path("data")), fingerprint(docker("volume", "inspect", "-f", "{{.Mountpoint}}", "rogate-test-states"))
            done = p.run()
            equal(p.verdicts()["/etc/one"], "safe", done.stdout + done.stderr)
            equal(p.mount("/etc/one")["runs"], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
            equal(states_of(p)[:6], [("control", "fresh", None), ("control", "fresh", None), ("control", "used", 2),
                                     ("control", "restart", 2), ("control", "fresh", None), ("control", "crash", 5)])
            equal([each["name"] for each in p.result["runs"][3]["phases"]], ["entrypoint", "ready", "restart", "step looks", "shutdown"])
            after = fingerprint(p.path("data")), fingerprint(docker("volume", "inspect", "-f", "{{.Mountpoint}}", "rogate-test-states"))
            equal(after, before, "the user's data changed")
        finally:
            docker("volume", "rm", "rogate-test-states")


def test_used_data_are_those_of_the_run_before():
    with project() as p:
        p.make("data", {"old": "o\n"})
        look = "ls /data /fresh; "
        p.scenario(look + "rm -f /data/old; touch /data/new /fresh/new; chown 33:34 /data /fresh; " + IDLE,
                   ["./data:/data", "fresh-vol:/fresh"],
                   [{"name": "was here before", "log": "new[\\s\\S]*new"}, {"name": "is gone", "log": "^(?![\\s\\S]*old)"},
                    {"name": "is owned", "exec": "stat -c '%u:%g' /data /fresh", "expect": {"equals": "33:34\n33:34"}}],
                   states=["used"], candidates=["/"])
        done = p.run()
        # The run that makes the data cannot have found them.
        equal(done.returncode, 1)
        contains(p.result["runs"][0]["phases"][-2]["message"], "expected /new")
        p.scenario(look + "test -e /data/new && { test -e /fresh/new && test ! -e /data/old || exit 5; }; rm -f /data/old; "
                   "touch /data/new /fresh/new; chown 33:34 /data /fresh; " + IDLE, ["./data:/data", "fresh-vol:/fresh"],
                   [{"name": "is owned", "exec": "stat -c '%u:%g' /data /fresh", "expect": {"equals": "33:34\n33:34"}}],
                   states=["used"], candidates=["/data"])
        done = p.run()
        equal(p.result["runs"][1]["passed"], True, done.stdout + done.stderr)


# Counts its starts in everything that it has, and says whether it was told to end the last time.
STORE = """for d in /named /anon /bind /both; do n=$$(cat $$d/count || echo 0); echo $$((n + 1)) >$$d/count; done
test -e /named/ended && was=well || was=badly; rm -f /named/ended
echo $$(cat /named/count /anon/count /bind/count /both/count) $$was >/both/told
touch /tmp/ready
trap 'echo x >/named/ended; exit 0' TERM; while :; do sleep 0.1; done
"""
# Writes into /made the first time that the service was started, and into /mended if that was killed.
WEB = """until read -r a b c d was 2>/dev/null </both/told; do sleep 0.1; done; cat /made/kept /mended/kept
test "$$a" = "$$b" && test "$$a" = "$$c" && test "$$a" = "$$d" || exit 5
test "$$a" != 1 || echo x >/made/x || exit 3
test "$$a" != 2 || test $$was = well || echo x >/mended/x || exit 4
rm -f /own/old; echo x >/own/left; trap 'exit 0' TERM; echo started; while :; do sleep 0.1; done
"""


def with_service(p, states, web=WEB):
    project_file = {"name": "rogatestates", "volumes": {"named": {}, "both": {}},
                    "services": {"web": {"image": IMAGE, "command": ["sh", "-c", web], "depends_on": {"store": {"condition": "service_healthy"}},
                                         "volumes": ["./made:/made", "./mended:/mended", "both:/both", "./own:/own"]},
                                 "store": {"image": IMAGE, "command": ["sh", "-c", STORE], "healthcheck": {"test": "test -e /tmp/ready", "interval": "300ms"},
                                           "volumes": ["named:/named", "/anon", "./bind:/bind", "both:/both"]}}}
    with open(p.path("compose.yaml"), "w") as out:
        json.dump(project_file, out)
    with open(p.path("scenario.yaml"), "w") as out:
        json.dump({"subject": {"compose": {"file": "compose.yaml", "service": "web"}}, "ready": {"timeout": "15s", "log": "started"}, "states": states,
                   "candidates": ["/made", "/mended"]}, out)
    return concluded(p)


def test_services_begin_with_what_they_left():
    with project() as p:
        for name in ("made", "mended", "own", "bind"):
            p.make(name, {"kept": "k\n", "old": "o\n"})
        if LONG:
            done = with_service(p, ["used"])
            equal((p.verdicts()["/made"], p.verdicts()["/mended"]), ("safe", "safe"), done.stdout + done.stderr)
        docker("volume", "create", "rogatestates_named")
        try:
            volume = docker("volume", "inspect", "-f", "{{.Mountpoint}}", "rogatestates_named")
            before = fingerprint(volume), fingerprint(p.path("bind")), fingerprint(p.path("own"))
            done = with_service(p, ["fresh", "used"])
            equal((p.verdicts()["/made"], p.mount("/made")["attempts"][0]["state"]), ("required", "fresh"), done.stdout + done.stderr)
            done = with_service(p, ["used", "crash"])
            equal((p.verdicts()["/made"], p.verdicts()["/mended"]), ("safe", "required"), done.stdout + done.stderr)
            equal({each["state"] for each in p.mount("/mended")["attempts"]}, {"crash"})
            equal((fingerprint(volume), fingerprint(p.path("bind")), fingerprint(p.path("own"))), before, "the user's data changed")
        finally:
            docker("volume", "rm", "rogatestates_named")


def test_services_go_on_when_the_subject_is_restarted():
    """The subject removes what the service says when it starts, so that a second start would be heard of."""
    with project() as p:
        for name in ("made", "mended", "own", "bind"):
            p.make(name, {"kept": "k\n", "old": "o\n"})
        with_service(p, ["restart"], WEB.replace("rm -f /own/old", "rm -f /both/told"))
        restarted = p.result["runs"][1]
        equal([each["name"] for each in restarted["phases"]][:3], ["entrypoint", "ready", "restart"])
        contains(restarted["phases"][-2]["message"], "not ready within")


POD = """apiVersion: apps/v1
kind: StatefulSet
metadata: {name: one}
spec:
  template:
    spec:
      terminationGracePeriodSeconds: 2
      GROUP
      initContainers:
      - {name: beside, image: rogate/base:bookworm, restartPolicy: Always, volumeMounts: [{name: data, mountPath: /all}, {name: scratch, mountPath: /s}],
         command: [sh, -c, "n=$(cat /all/beside || echo 0); echo $((n + 1)) >/all/beside; echo x >/s/up; exec sleep 1000"]}
      containers:
      - name: app
        image: rogate/base:bookworm
        command: [sh, -c, "until test -e /s/up; do sleep 0.1; done; test ! -e /s/mine || exit 6; echo x >/s/mine; cat /made/kept; \
                  n=$(cat /mine/count || echo 0); test -e /s/counted || { n=$((n + 1)); echo $n >/mine/count; }; \
                  test $n = 1 || test $n = 2 || exit 7; test $n != 1 || echo x >/made/x || exit 3; \
                  rm /s/mine; touch /s/counted; trap 'exit 0' TERM; echo started; while :; do sleep 0.1; done"]
        volumeMounts: [{name: data, mountPath: /mine, subPath: app}, {name: scratch, mountPath: /s}, {name: made, mountPath: /made}]
      volumes: [{name: scratch, emptyDir: {}}, {name: made, hostPath: {path: FOLDER}}]
  volumeClaimTemplates: [{metadata: {name: data}}]
"""


def with_pod(p, states, group="", claim="rogate-test-claim"):
    with open(p.path("pod.yaml"), "w") as out:
        out.write(POD.replace("GROUP", group).replace("FOLDER", p.path("made")))
    with open(p.path("scenario.yaml"), "w") as out:
        json.dump({"subject": {"kubernetes": {"file": "pod.yaml", "container": "app", "values": {"claims": {"data": claim}}}},
                   "ready": {"timeout": "15s", "log": "started"}, "states": states, "candidates": ["/made"],
                   "steps": [{"name": "beside", "exec": "ls /made"}]}, out)
    return concluded(p)


def test_claims_of_a_pod_outlast_it_and_its_empty_folders_do_not():
    with project() as p:
        p.make("made", {"kept": "k\n"})
        docker("volume", "create", "rogate-test-claim")
        try:
            volume = docker("volume", "inspect", "-f", "{{.Mountpoint}}", "rogate-test-claim")
            before = fingerprint(volume)
            for group, claim in variants(("securityContext: {fsGroup: 33}", "rogate-test-claim"), ("", "rogate-test-claim"), ("", "empty")):
                done = with_pod(p, ["used", "restart", "crash"], group, claim)
                equal(p.verdicts()["/made"], "safe", done.stdout + done.stderr)
                equal(states_of(p)[:6:2], [("control", "current", None), ("control", "restart", 1), ("control", "crash", 4)])
                done = with_pod(p, ["fresh", "used"], group, claim)
                equal((p.verdicts()["/made"], p.mount("/made")["attempts"][0].get("state")), ("required", "fresh"), done.stdout + done.stderr)
            equal(fingerprint(volume), before, "the claim's data were touched")
        finally:
            docker("volume", "rm", "rogate-test-claim")


def test_a_split_holds_on_new_volumes_that_have_its_mount_points():
    """The application makes the directory itself on its first start, which it cannot below a read-only mount. What the image has
    there is in a new volume all the same."""
    docker("volume", "create", "rogate-test-split")
    try:
        for folder in variants("/v/other", "/v/run"):  # as the split does not find it, and as it does
            docker("run", "--rm", "-v", "rogate-test-split:/v", IMAGE, "sh", "-c", f"echo k >/v/kept; rm -rf /v/run; mkdir -p {folder}")
            with project() as p:
                shell = ("cd /etc/default; test -e useradd || test -e kept || exit 9; ls; test -e run || mkdir run; "
                         "echo x >run/x.pid || exit 3; ")
                done = run_states(p, shell, ["fresh", "used"], ["rogate-test-split:/etc/default"])
                equal(p.verdicts()["/etc/default"], "split", done.stdout + done.stderr)
                equal(p.result["recommendation"]["writable"][0]["path"], "/etc/default/run")
                contains(p.mount("/etc/default")["reason"], "a new volume needs the mount points run in it before the first start")
    finally:
        docker("volume", "rm", "rogate-test-split")


def test_flaky_tries_are_no_evidence():
    skip_unless(not engine_is_podman(), "podman's name server does not tell the name of an address, by which the test knows the run")
    with project() as p:
        p.make("data", {"kept": "k\n"})
        # Passes and fails by turns: the subject's container is named after the number of the run.
        odd = 'n=$(getent hosts $(getent hosts subject | cut -d" " -f1) | sed -n "s/.*-run\\([0-9]*\\).*/\\1/p"); test $((n % 2)) = 1'
        p.scenario("cat /data/kept; " + IDLE, ["./data:/data"],
                   [{"name": "now and then", "run": {"image": "rogate/base:bookworm", "command": ["sh", "-c", odd]}}])
        done = p.run("--repeat", "3")
        equal((p.verdicts()["/data"], done.returncode), ("inconclusive", 4), done.stdout + done.stderr)
        contains(p.mount("/data")["reason"], "the control run is flaky: 2 of 3 tries passed; one failed step now and then")
        p.scenario("cat /data/kept; " + IDLE, ["./data:/data"])
        done = p.run("--repeat", "2")
        equal(p.verdicts()["/data"], "safe", done.stdout)
        equal(p.mount("/data")["runs"], [1, 2, 3, 4])


def test_several_scenarios_in_one_file_shards_and_their_join():
    with project() as p:
        p.make("data", {"kept": "k\n"})
        text = json.dumps({"subject": {"image": IMAGE, "command": ["sh", "-c", "cat /data/kept; " + IDLE], "mounts": ["./data:/data"]},
                           "ready": {"log": "started"},
                           "scenarios": [{"name": "reads", "steps": [{"exec": "cat /data/kept"}]},
                                         {"name": "writes", "steps": [{"name": "writes", "exec": "echo x >/data/new"}]},
                                         {"name": "other", "steps": [{"exec": "true"}]}]})
        with open(p.path("scenario.yaml"), "w") as out:
            out.write(text)
        for shard in ("1/2", "2/2"):
            done = rogate("run", p.folder, "--shard", shard, "--only", "reads", "--only", "w*", "--out", p.path("out"))
            equal(done.returncode, 0, done.stdout + done.stderr)
        equal(sorted(os.listdir(p.path("out"))), ["reads", "writes"])
        results = [p.path(f"out/{name}/result.json") for name in ("reads", "writes")]
        done = rogate("merge", *results, "-o", p.path("out/result.json"))
        equal(done.returncode, 0, done.stderr)
        p.read_result()
        equal(p.verdicts(), {"/data": "required"})
        contains(p.mount("/data")["reason"], "scenario 'writes': read-only fails step writes")
        equal(p.result["recommendation"]["read_only"], [])
        equal([each["id"] for each in p.result["runs"]], list(range(1, len(p.result["runs"]) + 1)))
        done = rogate("run", p.folder, "--only", "red*")
        equal(done.returncode, 2)
        contains(done.stderr, "--only red*: no scenario is named so; there are other, reads, writes")
        equal(rogate("run", p.folder, "--shard", "3/2").returncode, 2)
        equal(rogate("merge", results[0], results[0]).returncode, 2)
