"""The user's own tests are the scenario: `rogate run compose.yaml --test COMMAND`, and `command` steps of scenario files."""
import json
import os
import shutil
import signal
import subprocess
import time

from ssh_cases import sshd
from support import IDLE, IMAGE, ROGATE, ROOT, contains, equal, fingerprint, project, rogate

# GET /: a page. POST: what is sent is stored, or the answer is 500. It has a service behind it, which writes nothing.
SHOP = r"""
use IO::Socket::INET; $SIG{TERM} = sub { exit 0 }; $SIG{PIPE} = "IGNORE";
my $s = IO::Socket::INET->new(LocalPort => 8080, Listen => 9, ReuseAddr => 1) or die $!;
open(my $p, "<", "/srv/pages/index.html") or die $!; my $page = join("", <$p>);
while (1) {
  my $c = $s->accept or next;
  my $first = <$c>; my $n = 0;
  while (my $l = <$c>) { $n = $1 if $l =~ /^content-length: (\d+)/i; last if $l =~ /^\r?$/ }
  my ($status, $body) = ("200 OK", $page);
  if ($first =~ /^POST/) {
    read($c, my $sent, $n);
    $status = "201 Created"; $body = "stored";
    if (open(my $f, ">", "/srv/uploads/last")) { print $f $sent; close $f } else { ($status, $body) = ("500 No", "$!") }
  }
  print $c "HTTP/1.1 $status\r\nContent-Type: text/html\r\nContent-Length: " . length($body) . "\r\nConnection: close\r\n\r\n$body";
  close $c;
}
"""
STORE = r"""
use IO::Socket::INET; $SIG{TERM} = sub { exit 0 };
my $s = IO::Socket::INET->new(LocalPort => 9000, Listen => 9, ReuseAddr => 1) or die $!;
while (1) { my $c = $s->accept or next; print $c "ready\n"; close $c }
"""
# What a project has of tests: a runner that writes JUnit, and exits with 1 if a test fails.
E2E = r'''
import os, socket, sys, urllib.request, xml.sax.saxutils as x
results = []
def test(name, body):
    try:
        body(); results.append((name, None))
    except Exception as error:
        results.append((name, repr(error)))
def lists():
    assert b"shop" in urllib.request.urlopen(os.environ["ROGATE_URL"], timeout=10).read()
def uploads():
    urllib.request.urlopen(urllib.request.Request(os.environ["ROGATE_URL"] + "/photo", b"bytes", method="POST"), timeout=10)
def store():
    host, port = os.environ["ROGATE_STORE_9000"].split(":")
    assert socket.create_connection((host, int(port)), timeout=10).recv(5) == b"ready"
def flaky():
    raise Exception("it always fails")
test("lists", lists), test("uploads", uploads), test("store", store)
if "flaky" in sys.argv: test("flaky", flaky)
print("run", os.environ["ROGATE_RUN"], os.environ["ROGATE_RUN_KIND"], "in", os.path.basename(os.getcwd()), flush=True)
os.makedirs("results", exist_ok=True)
if "silent" not in sys.argv:
    with open("results/e2e.xml", "w") as out:
        out.write("<testsuites><testsuite name='e2e'>")
        for name, error in results:
            out.write(f"<testcase classname='shop' name={x.quoteattr(name)}>")
            out.write(f"<failure message={x.quoteattr(error)}/></testcase>" if error else "</testcase>")
        out.write("</testsuite></testsuites>")
sys.exit(any(error for _, error in results))
'''


def shop(p, compose=True):
    p.make("app", {"shop.pl": SHOP, "store.pl": STORE})
    p.make("pages", {"index.html": "<h1>shop</h1>"})
    p.make("uploads", {})
    p.make("e2e", {"e2e.py": E2E})
    services = {
        "store": {"image": IMAGE, "command": ["perl", "/srv/app/store.pl"], "volumes": ["./app:/srv/app:ro"], "expose": ["9000"]},
        "web": {"image": IMAGE, "command": ["perl", "/srv/app/shop.pl"], "ports": ["8080"], "depends_on": ["store"],
                "volumes": ["./app:/srv/app:ro", "./pages:/srv/pages", "./uploads:/srv/uploads"]}}
    if compose:
        with open(p.path("compose.yaml"), "w") as out:
            json.dump({"name": "shop", "services": services}, out)


def settle(p, *words, service=("--service", "web"), env=None):
    for _ in range(3):
        done = rogate("run", p.path("compose.yaml"), *service, "--out", p.path("out"), "--test-directory", p.path("e2e"), *words, env=env)
        p.read_result()
        if not p.observer_came_late():
            break
    return done


def failed_phase(p):
    return next(phase for run in p.result["runs"] for phase in run["phases"] if not phase["passed"])


def test_a_project_is_settled_by_its_own_tests():
    with project() as p:
        shop(p)
        done = settle(p, "--test", "python3 e2e.py", "--junit", "results/*.xml")
        output = done.stdout + done.stderr
        equal(done.returncode, 0, output)
        equal(p.verdicts()["/srv/uploads"], "required", output)
        equal(p.verdicts()["/srv/pages"], "safe", output)
        # The verdict names the test that fails, and only that one.
        contains(p.mount("/srv/uploads")["reason"], "1 of 3 tests fails: shop.uploads (", "HTTPError 500")
        failed = failed_phase(p)
        equal(failed["tests"], {"total": 3, "failed": ["shop.uploads"], "known_failures": []})
        contains(failed["output"], "probe in e2e")
        # What the tests write is seen while they run.
        contains(done.stderr, "| run 1 control in e2e", "| run 2 probe in e2e")
        equal(os.listdir(p.path("uploads")), [])


def test_a_browser_drives_the_shop():
    """A project with a suite of its own: Playwright and Chromium over the shop, in node's runner. The test that uploads a picture makes
    its mount required, and is named."""
    with project() as p:
        shutil.copytree(f"{ROOT}/tests/projects/shop", p.path("shop"))
        before = fingerprint(p.path("shop/app"))
        env = {"DB_PASSWORD": "correct", "NODE_PATH": f"{ROOT}/tests/browser/node_modules", "TMPDIR": p.folder}
        done = rogate("run", p.path("shop/compose.yaml"), "--service", "app", "--out", p.path("out"), "--test-directory", p.path("shop/e2e"),
                      "--test", "node --test --test-reporter junit --test-reporter-destination results.xml", "--junit", "results.xml", env=env)
        p.read_result()
        output = done.stdout + done.stderr
        verdicts = {target: verdict for target, verdict in p.verdicts().items() if target.startswith("/srv") or target.endswith("sessions")}
        # A session is a convenience, which the shop does without.
        equal(verdicts, {"/srv/app": "safe", "/srv/uploads": "required", "/var/lib/shop/sessions": "tolerated"}, output)
        contains(p.mount("/srv/uploads")["reason"], "1 of 2 tests fails: test.uploads a picture (")
        equal(failed_phase(p)["tests"]["failed"], ["test.uploads a picture"])
        equal(fingerprint(p.path("shop/app")), before, "the user's data changed")


def test_a_suite_that_fails_in_the_control_run():
    with project() as p:
        shop(p)
        words = ["--test", "python3 e2e.py flaky", "--junit", "results/*.xml"]
        done = settle(p, *words)
        equal(done.returncode, 1, done.stdout + done.stderr)
        equal(set(p.verdicts()[each] for each in ("/srv/uploads", "/srv/pages")), {"inconclusive"})
        contains(failed_phase(p)["message"], "1 of 4 tests fails: shop.flaky (Exception('it always fails'))")
        # What is known to fail is left out, and the result names it; a test that fails beside it still counts.
        known = p.path("known.txt")
        with open(known, "w") as out:
            out.write("# fails since May\nshop.flaky\n")
        done = settle(p, *words, "--known-failures", known, "--known-failures", "gone")
        output = done.stdout + done.stderr
        equal(done.returncode, 0, output)
        equal((p.verdicts()["/srv/uploads"], p.verdicts()["/srv/pages"]), ("required", "safe"), output)
        control = next(each for each in p.result["runs"][0]["phases"] if "tests" in each)
        equal(control["tests"], {"total": 4, "failed": [], "known_failures": ["shop.flaky"]})
        contains(control["message"], "known to fail, and left out: shop.flaky", "no test is called gone")


def test_results_of_an_earlier_time_are_not_read():
    with project() as p:
        shop(p)
        os.mkdir(p.path("e2e/results"))
        with open(p.path("e2e/results/old.xml"), "w") as out:
            out.write("<testsuite><testcase name='a'/></testsuite>")
        done = settle(p, "--test", "python3 e2e.py silent", "--junit", "results/*.xml")
        equal(done.returncode, 1, done.stdout + done.stderr)
        contains(failed_phase(p)["message"], "wrote no JUnit file that is called", "those that are there are of an earlier time")


def test_a_service_that_others_need_is_tested_through_them():
    """The store has no test that reaches it but by way of those of the whole project, and `web` waits for it."""
    with project() as p:
        shop(p)
        done = settle(p, "--test", "python3 e2e.py", "--rootfs", service=("--service", "web", "--service", "store"))
        output = done.stdout + done.stderr
        equal(done.returncode, 0, output)
        with open(p.path("out/store/result.json")) as file:
            result = json.load(file)
        equal({each["target"]: each["verdict"] for each in result["mounts"]}, {"/": "safe", "/srv/app": "already-ro"}, output)


def test_with_a_relay_every_port_is_forwarded():
    with project() as p:
        shop(p)
        done = settle(p, "--test", "python3 e2e.py", "--junit", "results/e2e.xml", "--requests", "relay")
        output = done.stdout + done.stderr
        equal((done.returncode, p.verdicts()["/srv/uploads"], p.verdicts()["/srv/pages"]), (0, "required", "safe"), output)
        contains(p.mount("/srv/uploads")["reason"], "shop.uploads")


def test_over_ssh_every_port_is_forwarded():
    with project() as p, sshd() as server:
        shop(p)
        done = settle(p, "--test", "python3 e2e.py", env=server.environment())
        output = done.stdout + done.stderr
        equal((done.returncode, p.verdicts()["/srv/uploads"], p.verdicts()["/srv/pages"]), (0, "required", "safe"), output)


def scenario_with(p, command, **step):
    p.make("conf", {"file": "text\n"})
    p.scenario("cat /conf/file; " + IDLE, ["./conf:/conf"], steps=[{"name": "mine", "command": command, **step}])


def test_a_file_cannot_consent():
    with project() as p:
        scenario_with(p, ["touch", p.path("ran")])
        done = p.run()
        equal((done.returncode, os.path.exists(p.path("ran"))), (2, False), done.stderr)
        contains(done.stderr, "scenario.yaml:1:", "step 'mine' runs a command on this machine", "--allow-commands")
        # Nor the project's file, nor the environment.
        with open(p.path(".rogate.yaml"), "w") as out:
            out.write("allow-commands: true\n")
        done = subprocess.run([ROGATE, "run", "scenario.yaml"], cwd=p.folder, capture_output=True, text=True,
                              env={**os.environ, "ROGATE_ALLOW_COMMANDS": "true"})
        equal((done.returncode, os.path.exists(p.path("ran"))), (2, False), done.stderr)
        contains(done.stderr, ".rogate.yaml:1:1", "allow-commands")
        os.remove(p.path(".rogate.yaml"))
        done = p.run("--allow-commands", env={"ROGATE_ALLOW_COMMANDS": "true"})
        equal((done.returncode, os.path.exists(p.path("ran"))), (0, True), done.stderr)
        equal(p.verdicts()["/conf"], "safe")


# A child that ignores SIGTERM, one that has left the group, and the command itself; all of them write their numbers.
STUBBORN = """
sh -c 'trap "" TERM; echo $$ >>pids; while :; do sleep 0.1; done' &
setsid sh -c 'trap "" TERM HUP; echo $$ >>pids; while :; do sleep 0.1; done' &
echo $$ >>pids
while [ "$(wc -l <pids)" -lt 3 ]; do sleep 0.1; done
echo all are here
wait
"""


def are_gone(p, within):
    with open(p.path("pids")) as file:
        pids = [int(line) for line in file]
    equal(len(pids), 3)
    until = time.monotonic() + within
    while True:
        left = [pid for pid in pids if os.path.exists(f"/proc/{pid}")]
        if not left or time.monotonic() > until:
            break
        time.sleep(0.05)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    equal(left, [], "processes of the command that are left")


def test_what_a_command_starts_ends_with_its_timeout():
    with project() as p:
        scenario_with(p, STUBBORN, timeout="2s")
        done = p.run("--allow-commands")
        equal(done.returncode, 1, done.stdout + done.stderr)
        contains(failed_phase(p)["message"], "did not end within 2 s, and was ended", "all are here")
        are_gone(p, within=0)


def test_what_a_command_starts_ends_with_rogate():
    for number in (signal.SIGINT, signal.SIGKILL):
        with project() as p:
            scenario_with(p, STUBBORN)
            with p.running("--allow-commands") as running:
                running.wait_for("all are here")
                running.process.send_signal(number)
                running.process.wait(timeout=60)
            are_gone(p, within=15)


def test_what_a_command_is_told():
    with project() as p:
        scenario_with(p, {"run": ["sh", "-c", "test \"$NUMBER $WHERE\" = \"$ROGATE_RUN $ROGATE_SUBJECT_9000\" && echo $SECRET_TOKEN && "
                                              "exit 3"],
                          "environment": {"NUMBER": "${{ ROGATE_RUN }}", "WHERE": "${{ ROGATE_SUBJECT_9000 }}",
                                          "SECRET_TOKEN": "hush-hush-42"}})
        with open(p.path("scenario.yaml")) as file:
            whole = json.load(file)
        whole["subject"]["ports"] = ["9000"]
        with open(p.path("scenario.yaml"), "w") as out:
            json.dump(whole, out)
        done = p.run("--allow-commands")
        equal(done.returncode, 1, done.stdout + done.stderr)
        equal(failed_phase(p)["message"], 'expected exit code 0, got 3 (output: "***")')
        equal(failed_phase(p)["output"], "***\\x0a")
        equal("hush-hush" in done.stdout + done.stderr, False, done.stderr)
        whole["steps"][0]["command"]["run"] = "echo ${{ ROGATE_WEB_80 }}"
        with open(p.path("scenario.yaml"), "w") as out:
            json.dump(whole, out)
        done = p.run("--allow-commands")
        contains(failed_phase(p)["message"], "'ROGATE_WEB_80' is not known; there are ROGATE_RUN", "ROGATE_SUBJECT_9000")


def test_without_scenario_and_tests_rogate_asks_by_itself():
    """Links are followed, none that signs out; what a page stores shows, and what nothing came near is said."""
    with project() as p:
        shop(p)
        p.make("unused", {"file": "text\n"})
        with open(p.path("pages/index.html"), "w") as out:
            out.write("<a href='/about?n=1'>x</a> <a href='/logout'>x</a> <a href='http://example.org/'>x</a>")
        with open(p.path("app/shop.pl"), "w") as out:
            # It counts its visitors, and fails where it cannot.
            out.write(SHOP.replace('my ($status, $body) = ("200 OK", $page);',
                                   'my ($status, $body) = ("200 OK", $page);\n'
                                   '  if ($first =~ /about/ && !open(my $n, ">>", "/srv/uploads/visits")) { $status = "503 No" }\n'
                                   '  exit 1 if $first =~ /logout/;'))
        with open(p.path("compose.yaml")) as file:
            whole = json.load(file)
        whole["services"]["web"]["volumes"].append("./unused:/srv/unused")
        with open(p.path("compose.yaml"), "w") as out:
            json.dump(whole, out)
        done = rogate("run", p.path("compose.yaml"), "--service", "web", "--out", p.path("out"), "--soak", "1s")
        p.read_result()
        output = done.stdout + done.stderr
        equal(done.returncode, 0, output)
        equal({each: p.verdicts()[each] for each in ("/srv/uploads", "/srv/pages", "/srv/unused")},
              {"/srv/uploads": "required", "/srv/pages": "safe", "/srv/unused": "untested"}, output)
        contains(p.mount("/srv/uploads")["reason"], "GET /about?n=1 of port 8080: 200 text/html in the control run, 503 text/html here")
        equal(p.result["exercised"], ["2 pages of port 8080", "1 s of running", "a restart"])
        equal((p.mount("/srv/pages")["exercise"], "exercise" in p.mount("/srv/uploads")), ("self-made", False))
        contains(p.mount("/srv/pages")["reason"], "only rogate's own exercise vouches for it")
        contains(p.mount("/srv/unused")["reason"], "give a test that does (--test)")
        contains(done.stdout, "Exercised by rogate itself: 2 pages of port 8080, 1 s of running, a restart")
        # The gate can ask for more.
        with open(p.path("policy.yaml"), "w") as out:
            out.write("require: scenario\n")
        done = rogate("gate", p.path("out/result.json"), "--policy", p.path("policy.yaml"))
        equal(done.returncode, 1, done.stdout + done.stderr)
        contains(done.stdout, "/srv/pages", "only rogate's own exercise vouches for it, and the policy requires a scenario")
        equal(done.stdout.count("requires a scenario"), 1)


def test_a_page_that_says_something_else():
    """An application that asks whether it may write, and then answers with another page and 200, or leads elsewhere. Nothing is written or
    refused but the question."""
    with project() as p:
        shop(p)
        with open(p.path("app/shop.pl"), "w") as out:
            out.write(SHOP.replace('my ($status, $body) = ("200 OK", $page);',
                                   'use POSIX (); opendir(my $d, "/srv/uploads");\n'
                                   '  my $may = POSIX::access("/srv/uploads", 2);\n'
                                   '  my ($status, $body) = ("200 OK", ($may ? $page : "closed for maintenance") . " at " . time . " by $$");\n'
                                   '  $body .= "<a href=\\"/to\\">x</a>";\n'
                                   '  ($status, $body) = ("302 Found\\r\\nLocation: " . ($may ? "/" : "/closed"), "") if $first =~ m{GET /to };'))
        done = rogate("run", p.path("compose.yaml"), "--service", "web", "--out", p.path("out"))
        p.read_result()
        equal(done.returncode, 0, done.stdout + done.stderr)
        equal(p.verdicts()["/srv/uploads"], "tolerated", done.stdout + done.stderr)
        contains(p.mount("/srv/uploads")["reason"], "GET / of port 8080 and 1 more shows something else than in the control run", "access /srv/uploads by perl")
