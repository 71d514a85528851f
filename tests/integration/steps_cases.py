"""Steps that scenarios are made of, against a small server that keeps what it is sent, and says 201 also when it cannot."""
import json
import os
import subprocess

from faulty_engine import FaultyEngine
from support import IDLE, IMAGE, contains, docker, equal, fingerprint, project

SERVER = r"""
use IO::Socket::INET; $| = 1; $SIG{TERM} = sub { exit 0 };
my $s = IO::Socket::INET->new(LocalPort => 8080, Listen => 50, ReuseAddr => 1) or die;
print "started\n";
while (1) {
  my $c = $s->accept or next;
  my ($m, $p) = split / /, scalar <$c>;
  my %h;
  while (my $l = <$c>) { $l =~ s/\r?\n$//; last if $l eq ''; my ($k, $v) = split /: */, $l, 2; $h{lc $k} = $v; }
  my $b = ''; read $c, $b, $h{'content-length'} if $h{'content-length'};
  my ($st, $body, $x) = (200, '', '');
  if ($m eq 'POST') {
    my $n = () = glob('/data/p*'); $n++;
    if (open my $f, '>', "/data/p$n") { print $f $b; close $f; }
    $st = 201; $x = "Location: http://localhost:8080/pictures/$n\r\n";
    $body = qq({"id": $n, "type": "$h{'content-type'}", "token": "t0k3n-s3cret", "tags": [{"name": "a"}]});
  } elsif ($p =~ m{^/pictures/(\d+)}) { if (open my $f, '<', "/data/p$1") { local $/; $body = <$f>; } }
  elsif ($p eq '/echo') { $body = "you are $h{authorization}"; $st = 403 if $h{authorization} ne 'Bearer t0k3n-s3cret'; }
  elsif ($p eq '/pieces') {
    for ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "\r", "\n") { syswrite $c, $_; select undef, undef, undef, 0.1 }
    close $c; next;
  }
  elsif ($p eq '/gone') { $st = 500; $body = 'broken'; }
  else { $body = join ',', glob('/data/p*'); }
  print $c "HTTP/1.1 $st OK\r\nContent-Length: " . length($body) . "\r\nX-Time: " . time . "\r\n${x}Connection: close\r\n\r\n$body";
  close $c;
}
"""


def serve(p, steps, mounts=("./data:/data",), candidates=("/data",), **more):
    if not os.path.exists(p.path("app")):
        p.make("app", {"server.pl": SERVER})
    if not os.path.exists(p.path("data")):
        p.make("data", {"kept": "k\n"})
    p.scenario("exec perl /app/server.pl", ["./app:/app:ro", *mounts], steps, candidates=list(candidates),
               subject={"ports": [8080], **more.pop("subject", {})}, **more)


def message(p, run, phase):
    return next(each["message"] for each in p.result["runs"][run]["phases"] if each["name"] == "step " + phase)


def test_silent_loss_is_found_by_comparison_with_the_control_run():
    upload = {"name": "uploads", "http": {"method": "POST", "path": "/pictures", "body": "picture"}, "expect": {"status": 201}}
    look = {"name": "looks", "http": {"path": "/pictures/1"}, "expect": {"status": 200}}
    with project() as p:
        serve(p, [upload, look])
        p.run()
        equal(p.verdicts()["/data"], "tolerated", "what nobody compares cannot be found")
        serve(p, [upload, {**look, "same_as_control": True}])
        done = p.run()
        equal(p.verdicts()["/data"], "required", done.stdout)
        contains(p.mount("/data")["reason"], 'step looks: not the same as in the control run: "picture" in the control run, "" here')
        contains(json.dumps(p.mount("/data")["attempts"]), "/data/p1", "EROFS")


def test_comparison_leaves_out_what_it_is_told_to():
    look = {"name": "looks", "exec": "date +%N; cat /proc/sys/kernel/random/uuid; cat /data/kept"}
    with project() as p:
        serve(p, [{**look, "same_as_control": {"ignore": ["[0-9a-f-]{6,}"]}}])
        done = p.run()
        equal(p.verdicts()["/data"], "safe", done.stdout)
        serve(p, [{**look, "same_as_control": True}])
        done = p.run()
        # No write failed: that the outputs differ says nothing about the mount.
        equal((p.verdicts()["/data"], done.returncode), ("inconclusive", 4), done.stdout)


def test_uploads_captures_and_variables():
    with project() as p:
        serve(p, [{"name": "uploads", "http": {"method": "POST", "path": "/pictures", "form": {
                      "title": "${{ title }}", "picture": {"file": "app/server.pl", "type": "text/x-perl"}}},
                   "expect": {"status": 201, "headers": {"Location": "/pictures/\\d+$"},
                              "json": {"/tags/0/name": "a", "/id": 1, "/type": "multipart/form-data; boundary=rogate-boundary-0"}},
                   "capture": {"id": {"json": "/id"}, "where": {"header": "Location"}, "token": {"regex": '"token": "([^"]+)"'}}},
                  {"name": "is there", "http": {"path": "${{ where }}"},
                   "expect": {"contains": 'name="title"\r\n\r\n${{ title }}\r\n', "matches": 'filename="server\\.pl"'}},
                  {"name": "is stored", "file": "/data/p${{ id }}", "expect": {"contains": "IO::Socket::INET", "mode": "0644"}},
                  {"name": "is let in", "http": {"path": "/echo", "headers": {"Authorization": "Bearer ${{ token }}"}},
                   "expect": {"equals": "you are Bearer ${{ token }}"}},
                  {"name": "sends the file itself", "http": {"method": "POST", "path": "/pictures", "file": "app/server.pl"}},
                  {"name": "has it as it was", "file": "/data/p2", "expect": {"size": len(SERVER), "equals": SERVER}},
                  {"name": "fails", "http": {"path": "/gone"}, "expect": {"status": 500, "equals": "not ${{ token }}"}}],
              vars={"title": "a"})
        done = p.run("--set", "title=from outside")
        equal(done.returncode, 1, done.stdout)
        equal([each["passed"] for each in p.result["runs"][0]["phases"]][2:8], [True] * 6, json.dumps(p.result["runs"][0]))
        contains(message(p, 0, "fails"), 'expected "not ***", got body: "broken"')
        for name in os.listdir(p.path("out")):
            with open(p.path("out/" + name)) as file:
                assert "t0k3n-s3cret" not in file.read(), f"the captured token is in {name}"
        assert "t0k3n-s3cret" not in done.stdout + done.stderr
        done = p.run("--set", "titel=x")
        equal(done.returncode, 2)
        contains(done.stderr, "no scenario has a variable 'titel'")


def test_driver_containers():
    client = r"""
use IO::Socket::INET;
my $s = IO::Socket::INET->new("$ARGV[0]:8080") or die "no way to $ARGV[0]: $!";
print $s "POST /pictures HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"; local $/; my $a = <$s>;
print "answer: ", (split /\r\n/, $a)[0], " $ENV{WORD}\n"; exit($ENV{CODE} || 0);
"""
    with project() as p:
        p.make("tests", {"client.pl": client})
        driver = {"image": IMAGE, "command": ["perl", "/opt/tests/client.pl", "subject"], "environment": {"WORD": "hello"},
                  "files": [{"from": "tests", "to": "/opt/tests"}]}
        serve(p, [{"name": "tests", "run": driver, "expect": {"contains": "answer: HTTP/1.1 201 OK"}},
                  {"name": "stored", "file": "/data/p1", "expect": {"equals": "abc"}}])
        done = p.run()
        equal(p.verdicts()["/data"], "required", done.stdout)
        contains(p.mount("/data")["reason"], "/data/p1 is missing")
        driver["environment"]["CODE"] = "3"
        serve(p, [{"name": "tests", "run": driver}])
        done = p.run()
        equal(done.returncode, 1)
        contains(message(p, 0, "tests"), "expected exit code 0, got 3", "answer: HTTP/1.1 201 OK ***")


def test_fixtures_and_copies():
    with project() as p:
        p.make("seed", {"kept": "from the fixture\n", "p7": "seven"})
        p.make("conf", {"app.conf": "fixture = 1\n"})
        serve(p, [{"name": "has the fixture", "http": {"path": "/pictures/7"}, "expect": {"equals": "seven"}},
                  {"name": "is owned", "exec": "stat -c '%u:%g %a' /data /data/p7", "expect": {"equals": "33:34 2750\n33:34 644"}},
                  {"name": "has no other", "file": "/data", "expect": {"equals": "kept\np7"}},
                  {"name": "has its configuration", "exec": "cat /etc/app.conf", "expect": {"equals": "fixture = 1"}},
                  {"name": "is empty", "exec": "ls -A /v", "expect": {"equals": ""}},
                  {"name": "takes a copy", "copy": {"to": "/var/tmp/in", "text": "copied", "owner": "33", "mode": "0640"}},
                  {"name": "has the copy", "file": "/var/tmp/in", "expect": {"equals": "copied", "mode": "0640", "size": 6}},
                  {"name": "is not there", "file": "/var/tmp/other", "expect": {"exists": False}}],
              mounts=["./data:/data", "./data/kept:/etc/app.conf", "vol:/v"], candidates=["/data", "/etc/app.conf", "/v"],
              fixtures=[{"target": "/data", "from": "seed", "owner": "33:34", "mode": "2750"},
                        {"target": "/etc/app.conf", "from": "conf/app.conf"}, {"target": "/v", "empty": True}])
        before = fingerprint(p.path("data")), fingerprint(p.path("seed"))
        done = p.run()
        equal(p.verdicts(), {"/app": "already-ro", "/data": "safe", "/etc/app.conf": "safe", "/v": "safe"}, done.stdout + done.stderr)
        equal((fingerprint(p.path("data")), fingerprint(p.path("seed"))), before, "data or fixture changed")


def test_copy_into_what_is_tried_read_only():
    with project() as p:
        serve(p, [{"name": "takes a copy", "copy": {"to": "/data/in", "text": "copied"}}])
        done = p.run()
        # It was rogate that could not write; the application did not even try.
        equal(p.verdicts()["/data"], "inconclusive", done.stdout)
        contains(p.mount("/data")["reason"], "belongs into 'fixtures'")


def test_empty_answer_that_comes_in_pieces():
    with project() as p:
        serve(p, [{"name": "asks", "http": {"path": "/pieces"}, "expect": {"status": 200}}])
        done = p.run()
        equal((p.result["runs"][0]["phases"][-1]["passed"], done.returncode), (True, 0), done.stdout + done.stderr)


def test_groups_repeats_and_load():
    post = {"method": "POST", "path": "/pictures"}
    with project() as p:
        serve(p, [{"name": "load", "background": {"steps": [{"name": "lists", "http": {"path": "/"}}], "interval": "10ms"}},
                  {"name": "both", "parallel": [{"name": "a", "http": {"path": "/pictures/1"}},
                                                {"name": "b", "exec": "cat /data/kept", "expect": {"equals": "k"}}]},
                  {"name": "often", "http": {**post, "body": "n${{ repetition }}"}, "repeat": 3},
                  {"name": "each one", "exec": "cat /data/p1 /data/p2 /data/p3", "expect": {"equals": "n1n2n3"}}])
        done = p.run()
        equal(p.verdicts()["/data"], "required", done.stdout)
        equal({each["name"]: each["passed"] for each in p.result["runs"][0]["phases"]},
              dict.fromkeys(["entrypoint", "ready", "step load", "step both", "step often", "step each one", "shutdown"], True))
        serve(p, [{"name": "load", "background": [{"name": "breaks", "http": {"path": "/gone"}}]}, {"name": "waits", "wait": "1s"},
                  {"name": "never comes", "exec": "true"}])
        done = p.run()
        equal(done.returncode, 1)
        contains(message(p, 0, "load"), "'breaks' failed in round 1: expected a status from 200 to 399, got 500")
        equal([each["name"] for each in p.result["runs"][0]["phases"]][-2:], ["step waits", "shutdown"])
        serve(p, [{"name": "both", "parallel": [{"name": "a", "http": {"path": "/gone"}}, {"name": "b", "exec": "false"}]},
                  {"name": "often", "exec": "false", "repeat": 3}])
        p.run()
        contains(message(p, 0, "both"), "'a': expected a status", "; 'b': expected exit code 0, got 1")


def test_a_step_may_not_be_left_out_only_where_it_would_fail():
    check = {"name": "stored", "exec": "test -s /data/p1"}
    with project() as p:
        serve(p, [{"name": "uploads", "http": {"method": "POST", "path": "/pictures", "body": "x"}},
                  {**check, "skip_if": {"exec": "test ! -e /data/p1"}}])
        done = p.run()
        equal(p.verdicts()["/data"], "required", done.stdout)
        contains(p.mount("/data")["reason"], "left out here", "but not in the control run")
        serve(p, [{**check, "skip_if": {"vars": {"mode": "quick"}}}, {"name": "reads", "exec": "cat /data/kept"}], vars={"mode": "quick"})
        done = p.run()
        equal(p.verdicts()["/data"], "safe", done.stdout)
        contains(message(p, 0, "stored"), "left out: variable 'mode' is 'quick'")
        equal(p.run("--set", "mode=full").returncode, 1)


def test_files_on_a_tmpfs_are_out_of_reach_and_no_loss():
    """A step that looks at a file from outside would call it missing; where a split puts a tmpfs there, a volume is tried."""
    with project() as p:
        p.make("data", {"kept": "k\n"})
        os.mkdir(p.path("data/run"))
        p.scenario("cat /data/kept; echo x >/data/run/x.pid || exit 3; " + IDLE, ["./data:/data"],
                   [{"name": "looks", "file": "/data/run/x.pid", "expect": {"equals": "x"}}], candidates=["/data"])
        done = p.run()
        equal((p.verdicts()["/data"], p.result["recommendation"]["writable"][0]["as"]), ("split", "volume"), done.stdout)
        p.scenario("echo x >/t/x; " + IDLE, ["./data:/data", {"type": "tmpfs", "target": "/t"}], [{"name": "puts", "copy": {"to": "/t/y", "text": "y"}}])
        done = p.run()
        equal(done.returncode, 1, done.stdout)
        contains(message(p, 0, "puts"), "/t/y is on the tmpfs /t, which the engine does not reach from outside; use exec")


def test_a_command_that_the_engine_forgot_with_the_subject_is_the_subjects_affair():
    """What is asked of a command after the container has ended can be answered with 404."""
    api = docker("version", "-f", "{{.Server.APIVersion}}")
    with project() as p, FaultyEngine(rewrite=(f"GET /v{api}/exec/".encode(), f"GET /v{api}/none/".encode())) as engine:
        p.scenario("echo started; sleep 1; exit 7; " + IDLE, [], [{"name": "is cut off", "exec": "sleep 20"}], candidates=[])
        done = p.run(env={"DOCKER_HOST": engine.address})
        equal(done.returncode, 1, done.stdout + done.stderr)
        contains(p.result["runs"][0]["phases"][-2]["message"], "exited with code 7")


def test_https_is_spoken_and_its_certificate_is_not_looked_at():
    with project() as p:
        p.make("tls", {})
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=nobody",
                        "-days", "1", "-keyout", p.path("tls/key.pem"), "-out", p.path("tls/cert.pem")], check=True, capture_output=True)
        p.make("conf", {"nginx.conf": "events {} http { access_log off; server { listen 8443 ssl; ssl_certificate /tls/cert.pem; "
                                      "ssl_certificate_key /tls/key.pem; return 200 hello; } }"})
        p.scenario("exec nginx -c /conf/nginx.conf -g 'daemon off;'", ["./tls:/tls", "./conf:/conf"],
                   [{"name": "says hello", "http": {"scheme": "https", "path": "/"}, "expect": {"equals": "hello"}},
                    {"name": "is no http", "http": {"path": "/"}, "expect": {"status": 400}}],
                   subject={"image": "rogate/nginx", "ports": [8443]}, ready={"http": {"scheme": "https", "path": "/"}})
        done = p.run()
        equal(done.returncode, 0, done.stdout + done.stderr)
        equal(p.verdicts(), {"/tls": "safe", "/conf": "safe"}, done.stdout)
