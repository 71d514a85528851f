"""The services of a project, settled together by one campaign."""
import json
import os
import shutil

from support import ROOT, contains, equal, fingerprint, project, rogate

UP = "trap 'exit 0' TERM; {}; echo started > /dev/shm/up; while :; do sleep 0.1; done"


def service(shell, more=""):
    check = json.dumps({"test": "test -e /dev/shm/up", "interval": "200ms"})
    return f"image: rogate/base:bookworm, command: {json.dumps(['bash', '-c', UP.format(shell)])}, healthcheck: {check}, {more}"


def job(shell, more=""):
    return f"image: rogate/base:bookworm, command: {json.dumps(['bash', '-c', shell])}, {more}"


def compose(p, services, rest=""):
    with open(p.path("compose.yaml"), "w") as out:
        out.write("services:\n" + "".join(f"  {name}: {{{text}}}\n" for name, text in services.items()) + rest)


def results(p, out="out"):
    found = {}
    for name in os.listdir(p.path(out)):
        if os.path.isdir(p.path(f"{out}/{name}")):
            with open(p.path(f"{out}/{name}/result.json")) as file:
                found[name] = json.load(file)
    return found


def verdicts(found):
    return {name: {each["target"]: each["verdict"] for each in result["mounts"]} for name, result in found.items()}


def runs(found):
    """Of the one campaign that all of them are told from."""
    counts = {len(result["runs"]) for result in found.values()}
    starts = {result["started_at"] for result in found.values()}
    equal((len(counts), len(starts)), (1, 1), "several campaigns were made")
    return counts.pop()


def reason(found, name, target):
    return next(each["reason"] for each in found[name]["mounts"] if each["target"] == target)


def test_two_runs_where_nothing_is_written():
    with project() as p:
        p.make("conf", {"file": "text\n"})
        compose(p, {f"s{i}": service("cat /conf/file", "volumes: ['./conf:/conf']") for i in range(4)})
        done = p.run()
        found = results(p)
        equal((done.returncode, runs(found)), (0, 2), done.stdout + done.stderr)
        equal(verdicts(found), {f"s{i}": {"/conf": "safe"} for i in range(4)})
        equal(found["s1"]["runs"][1]["read_only"], ["/conf"])
        equal(sorted(found["s1"]["runs"][1]["beside"]), ["s0:/conf", "s2:/conf", "s3:/conf"])


def test_candidates_of_some_services():
    """The others are in the campaign, and their mounts are not tried."""
    with project() as p:
        p.make("conf", {"file": "text\n"})
        compose(p, {"web": service("cat /conf/file", "volumes: ['./conf:/conf', 'va:/data']"),
                    "db": service("set -e; date > /data/made", "volumes: ['vb:/data', 'vc:/log']")}, "volumes: {va: , vb: , vc: }\n")
        with open(p.path("shop.yaml"), "w") as out:
            out.write("subject: {compose: compose.yaml}\ncandidates: [web:/conf, /data]\n")
        done = rogate("run", p.path("shop.yaml"), "--out", p.path("out"))
        found = results(p)
        equal(done.returncode, 0, done.stdout + done.stderr)
        equal(verdicts(found), {"web": {"/conf": "safe", "/data": "untested"}, "db": {"/data": "required"}}, done.stdout)
        with open(p.path("shop.yaml"), "w") as out:
            out.write("subject: {compose: compose.yaml}\ncandidates: [web:/log]\n")
        done = rogate("run", p.path("shop.yaml"), "--out", p.path("none"))
        equal(done.returncode, 2, done.stdout + done.stderr)
        contains(done.stderr, "shop.yaml:2:14: candidate 'web:/log' is no mount of 'web'; its mounts are web:/, web:/conf, web:/data")


def test_one_of_those_that_share_a_volume_writes():
    """A volume that is new, and a folder; the job fills them, and whoever waits for it only reads."""
    with project() as p:
        p.make("shared", {"old": "text\n"})
        before = fingerprint(p.path("shared"))
        volumes = "volumes: ['fresh:/fresh', './shared:/data']"
        compose(p, {"fill": job("set -e; date > /fresh/made; date > /data/made", volumes),
                    "reader": service("set -e; cat /fresh/made /data/made /data/old",
                                      volumes + ", depends_on: {fill: {condition: service_completed_successfully}}"),
                    "other": service("cat /data/old", "volumes: ['./shared:/data']")}, "volumes: {fresh: }\n")
        done = p.run()
        found = results(p)
        equal(done.returncode, 0, done.stdout + done.stderr)
        equal(verdicts(found), {"fill": {"/fresh": "required", "/data": "required"}, "reader": {"/fresh": "safe", "/data": "safe"},
                                "other": {"/data": "safe"}}, done.stdout)
        assert runs(found) <= 6, done.stdout
        recommended = found["reader"]["recommendation"]
        equal(sorted(recommended["read_only"]), ["/data", "/fresh"])
        verified = found["reader"]["runs"][recommended["verified_by_run"] - 1]
        equal((sorted(verified["read_only"]), verified["beside"], verified["passed"]), (["/data", "/fresh"], ["other:/data"], True))
        contains(reason(found, "fill", "/data"), "service 'fill'", "create fill:/data/made by bash")
        equal(fingerprint(p.path("shared")), before, "the user's data changed")


def test_a_reader_that_writes_once_there_is_something_to_do():
    """With both of them read-only the second one has nothing to do, so that nothing is refused to it."""
    with project() as p:
        p.make("queue", {})
        compose(p, {"front": service("date > /queue/task", "volumes: ['./queue:/queue']"),
                    "worker": service("rm /queue/task && echo done", "volumes: ['./queue:/queue'], depends_on: {front: {condition: service_healthy}}")})
        done = p.run()
        found = results(p)
        equal(done.returncode, 0, done.stdout + done.stderr)
        equal(verdicts(found), {"front": {"/queue": "tolerated"}, "worker": {"/queue": "tolerated"}}, done.stdout)


def test_a_service_that_fails_leaves_the_others_settled():
    with project() as p:
        p.make("conf", {"file": "text\n"})
        compose(p, {"good": service("cat /conf/file", "volumes: ['./conf:/conf']"),
                    "broken": job("cat /conf/file; echo it is broken; exit 5", "volumes: ['./conf:/conf']"),
                    "behind": job("cat /conf/file", "volumes: ['./conf:/conf'], depends_on: {broken: {condition: service_completed_successfully}}")})
        done = p.run()
        found = results(p)
        equal((done.returncode, runs(found)), (1, 2), done.stdout + done.stderr)
        equal(verdicts(found), {"good": {"/conf": "safe"}, "broken": {"/conf": "inconclusive"}, "behind": {"/conf": "inconclusive"}}, done.stdout)
        contains(reason(found, "broken", "/conf"), "the control run failed", "exited by itself with code 5", "it is broken")
        contains(reason(found, "behind", "/conf"), "service 'broken', which 'behind' waits for, exited with code 5")
        contains(done.stderr, "its mounts are not tried")


def test_a_service_that_is_started_again_until_it_can_go_on():
    """Its restart policy is followed, by rogate itself."""
    with project() as p:
        p.make("conf", {"file": "text\n"})
        p.make("state", {})
        compose(p, {"late": service("test -e /state/there || exit 1; cat /conf/file", "restart: unless-stopped, volumes: ['./conf:/conf', './state:/state']"),
                    "first": service("sleep 1; date > /state/there", "volumes: ['./state:/state']")})
        done = p.run()
        found = results(p)
        equal(done.returncode, 0, done.stdout + done.stderr)
        # The other one waits in vain for what cannot be written; to ask whether a name is there is no use of a mount.
        equal(verdicts(found), {"late": {"/conf": "safe", "/state": "untested"}, "first": {"/state": "required"}}, done.stdout)
        contains(reason(found, "first", "/state"), "service 'late' exited with code 1", "create first:/state/there by bash")


# GET /: a menu that somebody else writes, or 500. It keeps a log, and goes on without it.
MENU = r"""
use IO::Socket::INET; $SIG{TERM} = sub { exit 0 }; $SIG{PIPE} = "IGNORE";
my $s = IO::Socket::INET->new(LocalPort => 8080, Listen => 9, ReuseAddr => 1) or die $!;
while (1) {
  my $c = $s->accept or next;
  next unless defined <$c>;
  if (open(my $l, ">>", "/log/access")) { print $l "asked\n"; close $l }
  my $status = open(my $m, "<", "/shared/menu") ? "200 OK" : "500 No menu";
  print $c "HTTP/1.1 $status\r\nContent-Type: text/html\r\nContent-Length: 4\r\nConnection: close\r\n\r\nmenu";
  close $c;
}
"""


def test_a_page_that_another_service_fills():
    """The page fails for the other one's sake, whatever was refused to the one that is asked."""
    with project() as p:
        p.make("shared", {})
        p.make("log", {})
        p.make("app", {"menu.pl": MENU})
        compose(p, {"filler": service("date > /shared/menu", "volumes: ['./shared:/shared']"),
                    "web": "image: rogate/base:bookworm, command: [perl, /app/menu.pl], expose: ['8080'], "
                           "volumes: ['./app:/app', './shared:/shared', './log:/log'], depends_on: {filler: {condition: service_healthy}}",
                    "job": job("cat /app/menu.pl", "volumes: ['./app:/app']"),
                    "behind": service("true", "depends_on: {job: {condition: service_completed_successfully}}")})
        done = p.run("--soak", "1s")
        found = results(p)
        equal(done.returncode, 0, done.stdout + done.stderr)
        equal(verdicts(found), {"filler": {"/shared": "required"}, "web": {"/app": "safe", "/shared": "safe", "/log": "tolerated"},
                                "job": {"/app": "safe"}, "behind": {}}, done.stdout)
        runs(found)
        contains(reason(found, "filler", "/shared"), "service 'web': GET / of port 8080: 200 text/html in the control run, 500")
        contains(reason(found, "web", "/app"), "only rogate's own exercise vouches for it (1 page of port 8080, 1 s of running, a restart)")
        equal(found["filler"]["exercised"], ["its health check", "1 s of running", "a restart"])
        assert "exercised" not in found["job"], found["job"]["exercised"]  # it is let end
        names = [each["name"] for each in found["web"]["runs"][0]["phases"]]
        equal(names[:6], ["entrypoint", "ready", "step health check of filler", "step health check of behind", "step pages of web", "step running"])
        asked = rogate("run", p.folder, "--soak", "1s", "--only", "job", "--only", "behind", "--out", p.path("apart"))
        contains(asked.stderr, "a part of its services is asked for, so that each service is settled by a campaign of its own")


def test_an_image_that_cannot_be_had_costs_what_needs_it():
    with project() as p:
        p.make("a", {"file": "text\n"})
        compose(p, {"web": service("cat /data/file", "volumes: ['./a:/data'], depends_on: [gone]"),
                    "gone": "image: 'rogate-none-such:1', volumes: ['./a:/data']",
                    "other": service("cat /data/file", "volumes: ['./a:/data']")})
        done = p.run()
        equal(done.returncode, 1, done.stdout + done.stderr)
        found = results(p)
        equal(verdicts(found), {"web": {"/data": "inconclusive"}, "gone": {"/data": "inconclusive"}, "other": {"/data": "safe"}}, done.stdout)
        contains(reason(found, "gone", "/data"), "the image 'rogate-none-such:1' is not on the engine and could not be pulled")
        contains(reason(found, "web", "/data"), "service 'gone', which 'web' waits for, was not started")


def test_settings_of_one_service():
    with project() as p:
        p.make("a", {"file": "text\n"})
        p.make("b", {"file": "text\n"})
        shell = "cat /data/file; test -n \"$$LEAN\" || date > /data/cache"
        compose(p, {name: service(shell, f"volumes: ['./{name}:/data']" + more)
                    for name, more in (("a", ""), ("b", ", environment: {LEAN: ''}"))})
        with open(p.path("ours.yaml"), "w") as out:
            out.write("settings:\n  - id: lean\n    what: the cache\n    shown_by: [{process: [bash], path: [/data/cache]}]\n"
                      "    environment: {LEAN: '1'}\n    setting: LEAN=1\n    cost: none\n")
        done = p.run("--soak", "0s", "--settings", p.path("ours.yaml"))
        found = results(p)
        equal(done.returncode, 0, done.stdout + done.stderr)
        by_service = {name: [(each["id"], each["outcome"]) for each in result.get("settings", [])] for name, result in found.items()}
        equal(by_service, {"a": [("lean", "offered")], "b": [("lean", "not tried")]}, done.stdout)
        equal((found["a"]["recommendation"]["environment"], "environment" in found["b"]["recommendation"]), ({"LEAN": "1"}, False))
        proof = found["b"]["runs"][found["a"]["recommendation"]["verified_by_run"] - 1]
        equal(proof["environment"], {"a:LEAN": "1"})


def test_the_shop_is_patched_at_once():
    with project() as p:
        p.folder = shutil.copytree(f"{ROOT}/tests/projects/shop", p.path("shop"))
        os.chmod(p.path("."), 0o755)
        os.remove(p.path("rogate.yaml"))
        done = p.run()
        found = results(p)
        equal(done.returncode, 0, done.stdout + done.stderr)
        assert runs(found) <= 12, done.stdout
        got = verdicts(found)
        equal([got["app"]["/srv/app"], got["web"]["/etc/nginx/conf.d"], got["migrate"]["/sql"]], ["safe", "tolerated", "already-ro"], done.stdout)
        assert got["db"]["/var/lib/postgresql/data"] in ("required", "split"), done.stdout
        files = [p.path(f"out/{name}/result.json") for name in found]
        done = rogate("patch", *files, "--in-place", "--root", p.folder)
        equal(done.returncode, 0, done.stdout + done.stderr)
        with open(p.path("compose.yaml")) as file:
            contains(file.read(), "- ./app:/srv/app:ro\n", "- ./web:/etc/nginx/conf.d:ro\n", "# A small web shop")
        done = rogate("patch", *files)
        equal((done.returncode, done.stdout), (0, ""), done.stderr)
        done = rogate("run", p.folder, "--out", p.path("again"), timeout=400)
        again = verdicts(results(p, "again"))
        for name, result in found.items():
            for target in result["recommendation"]["read_only"]:
                equal(again[name][target], "already-ro", f"{name}:{target}\n{done.stdout}")


def shared_pid(p):
    """What one service writes to a folder of passing things, another one looks for."""
    p.make("shared", {"file": "text\n"})
    os.mkdir(p.path("shared/run"))
    compose(p, {"writer": service("set -e; cat /shared/file; echo $$$$ > /shared/run/app.pid",
                                  "volumes: ['./shared:/shared'], depends_on: [reader]"),
                "reader": service("cat /shared/file; cat /shared/run/app.pid || true", "volumes: ['./shared:/shared:ro']")})


def test_what_others_look_for_is_not_put_on_a_tmpfs():
    """Settled together, and one by one."""
    for words in ((), ("--one-by-one",)):
        with project() as p:
            shared_pid(p)
            done = p.run(*words)
            equal(done.returncode, 0, done.stdout + done.stderr)
            writable = results(p)["writer"]["recommendation"]["writable"]
            equal([(each["path"], each["as"]) for each in writable], [("/shared/run", "volume")])
            contains(writable[0]["reason"], "others have the same data mounted")


def test_a_file_with_a_name_in_two_sources():
    """Hard links: what one service writes to it, the other one sees, but not in the runs. One by one as well as together."""
    for words in ((), ("--one-by-one",)):
        with project() as p:
            p.make("a", {"file": "wait\n"})
            p.make("b", {})
            p.make("out", {"file": "text\n"})
            os.link(p.path("a/file"), p.path("b/file"))
            compose(p, {"web": service("cat /out/file; grep -q go /data/file && date > /out/done", "volumes: ['./a:/data', './out:/out'], depends_on: [writer]"),
                        "writer": service("echo go > /data/file", "volumes: ['./b:/data']")})
            done = p.run(*words)
            equal(done.returncode, 4, done.stdout + done.stderr)
            for mount in results(p)["web"]["mounts"]:
                equal(mount["verdict"], "inconclusive", f"{words} {mount}")
                contains(mount["reason"], "are one file (a hard link), and two in the runs")
