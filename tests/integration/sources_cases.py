"""That the runs' data are like the user's: one source is one thing wherever it is mounted, and what an overlay or an archive would lose
is there. Each subject does in use what its comment says; a run that cannot do it would be no evidence."""
import contextlib
import json
import os
import socket
import struct
import subprocess
import threading

from support import IDLE, IMAGE, ROGATE, contains, docker, equal, fingerprint, needs_root, project

SEEN = os.path.join(os.path.dirname(ROGATE), "tests", "programs", "seen") + ":/p/seen:ro"
OUT = "{ echo seen >>/out/log; } 2>/dev/null; "  # refused where /out is read-only, and the application goes on


def verdicts_are(p, wanted, *options):
    before = {name: fingerprint(p.path(name)) for name in os.listdir(p.folder) if os.path.isdir(p.path(name)) and name != "out"}
    done = p.run(*options)
    got = p.verdicts()
    equal({target: got[target] for target in wanted}, wanted, done.stdout + done.stderr)
    assert all(run["passed"] for run in p.result["runs"] if not run["read_only"]), done.stdout + done.stderr
    for name, was in before.items():
        equal(fingerprint(p.path(name)), was, name)
    return done


def test_mounts_of_one_source_have_its_data_in_common():
    """What is written to the one is seen in the other, and then something is written to a third."""
    with project() as p:
        p.make("shared", {"f": "text\n"})
        p.make("notes", {"readme": "text\n"})
        os.symlink("shared", p.path("link"))
        os.makedirs(p.path("shared/inbox/deep"))
        for places in (["./shared:/data", "./shared:/view"], ["./shared:/data", "./link:/view"]):
            p.scenario("cat /out/readme /view/f; echo 1 >/data/flag && [ -e /view/flag ] && " + OUT + IDLE, [*places, "./notes:/out"],
                       candidates=["/view", "/out"])
            verdicts_are(p, {"/out": "tolerated", "/view": "safe"})
            equal(p.mount("/out")["attempts"][0]["path"], "/out/log")


def test_a_folder_in_another_source_is_a_part_of_it():
    with project() as p:
        p.make("shared", {"f": "text\n"})
        p.make("notes", {"readme": "text\n"})
        os.makedirs(p.path("shared/inbox"))
        p.scenario("cat /out/readme /jobs/../data/f; echo 1 >/data/inbox/flag && [ -e /jobs/flag ] && " + OUT +
                   "echo 2 >/jobs/other; [ -e /data/inbox/other ] || exit 4; " + IDLE,
                   ["./shared:/data", "./shared/inbox:/jobs", "./notes:/out"], candidates=["/out"])
        verdicts_are(p, {"/out": "tolerated"})


def test_a_volume_and_a_bind_of_its_directory_are_one():
    docker("volume", "create", "rogate-case-vol")
    try:
        with project() as p:
            where = docker("volume", "inspect", "-f", "{{.Mountpoint}}", "rogate-case-vol")
            docker("run", "--rm", "-v", "rogate-case-vol:/v", IMAGE, "sh", "-c", "echo text >/v/f")
            p.make("notes", {"readme": "text\n"})
            p.scenario("cat /out/readme /view/f; echo 1 >/data/flag && [ -e /view/flag ] && " + OUT + IDLE,
                       [{"type": "volume", "source": "rogate-case-vol", "target": "/data"}, f"{where}:/view:ro", "./notes:/out"],
                       candidates=["/out"])
            verdicts_are(p, {"/out": "tolerated", "/view": "already-ro"})
            equal(os.listdir(where), ["f"])
    finally:
        docker("volume", "rm", "rogate-case-vol")


def test_a_service_beside_has_the_same_source_under_another_name():
    with project() as p:
        p.make("shared", {"f": "text\n"})
        p.make("notes", {"readme": "text\n"})
        os.symlink("shared", p.path("link"))
        with open(p.path("compose.yaml"), "w") as out:
            out.write(f"""services:
  web:
    image: {IMAGE}
    depends_on: [worker]
    command: [sh, -c, "cat /out/readme; echo 1 >/data/asked; until [ -e /data/answered ]; do sleep 0.1; done; {OUT}{IDLE}"]
    volumes: ["./shared:/data", "./notes:/out"]
  worker:
    image: {IMAGE}
    command: [sh, -c, "trap 'exit 0' TERM; while :; do if [ -e /jobs/asked ]; then echo 1 >/jobs/answered; fi; sleep 0.1; done"]
    volumes: ["./link:/jobs"]
""")
        with open(p.path("scenario.yaml"), "w") as out:
            json.dump({"name": "case", "subject": {"compose": {"file": "compose.yaml", "service": "web"}}, "candidates": ["/out"],
                       "ready": {"timeout": "15s", "log": "started"}}, out)
        verdicts_are(p, {"/out": "tolerated"})


def test_folders_are_renamed_and_hard_links_stay_links():
    with project() as p:
        p.make("data", {"one": "text\n"})
        p.make("notes", {"readme": "text\n"})
        os.link(p.path("data/one"), p.path("data/two"))
        os.makedirs(p.path("data/stage/deep"))
        p.scenario("cat /out/readme; perl -e 'rename(\"/data/stage\", \"/data/live\") or die \"$!\\n\"' && [ -d /data/live/deep ] && "
                   "echo more >>/data/one && grep -q more /data/two && " + OUT + IDLE, ["./data:/data", "./notes:/out"], candidates=["/out"])
        verdicts_are(p, {"/out": "tolerated"})


def acl(*entries):
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *each) for each in entries)


# user::rwx user:1000:rwx group::r-x mask::rwx other::r-x, as the kernel has it (linux/posix_acl_xattr.h)
FOR_1000 = acl((1, 7, 0xFFFFFFFF), (2, 7, 1000), (4, 5, 0xFFFFFFFF), (16, 7, 0xFFFFFFFF), (32, 5, 0xFFFFFFFF))


def test_a_root_has_all_attributes_of_its_source():
    """The list alone lets the user write; the mark and the time are asked for first."""
    for how in ("overlay", "copy"):
        with project() as p:
            p.make("data", {"f": "text\n"})
            p.make("notes", {"readme": "text\n"})
            os.setxattr(p.path("data"), "user.mark", b"v1")
            os.setxattr(p.path("data"), "system.posix_acl_access", FOR_1000)
            os.utime(p.path("data"), (1e9, 1e9))
            os.chmod(p.path("notes"), 0o777)
            p.scenario("cat /out/readme /data/f; perl -e 'exit((stat \"/data\")[9] != 1e9)' && perl -MErrno -e "
                       "'$p = \"/data\"; $n = \"user.mark\"; $b = \"\\0\" x 9; exit(syscall(191, $p, $n, $b, 9) != 2)' && echo x >/data/new && " + OUT + IDLE,
                       ["./data:/data", "./notes:/out"], subject={"user": "1000:1000"}, candidates=["/out"], data=how)
            verdicts_are(p, {"/out": "tolerated"})


def test_a_copy_has_the_attributes_of_what_is_in_it():
    with project() as p:
        p.make("data/sub", {"f": "text\n", "g": "text\n"})
        p.make("notes", {"readme": "text\n"})
        os.setxattr(p.path("data/sub"), "system.posix_acl_access", FOR_1000)
        os.setxattr(p.path("data/sub"), "system.posix_acl_default", FOR_1000)
        os.link(p.path("data/sub/f"), p.path("data/linked"))
        os.symlink("nowhere", p.path("data/dangling"))
        os.chmod(p.path("notes"), 0o777)
        p.scenario("cat /out/readme; [ -L /data/dangling ] && [ \"$(stat -c %h /data/linked)\" = 2 ] && echo x >/data/sub/new && " + OUT + IDLE,
                   ["./data:/data", "./notes:/out"], subject={"user": "1000:1000"}, candidates=["/out"], data="copy")
        verdicts_are(p, {"/out": "tolerated"})


@contextlib.contextmanager
def served(path):
    """Says "job" to whoever connects."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        os.chmod(path, 0o777)
        server.listen(9)

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    with server.accept()[0] as one:
                        one.sendall(b"job\n")
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


ASK = "perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new(\"/run/queue/deep/socket\") or die \"$!\\n\"; print <$s>'"


def test_a_socket_within_a_source_is_the_real_one():
    for how in ("overlay", "copy"):
        with project() as p:
            p.make("queue", {"f": "text\n"})
            p.make("notes", {"readme": "text\n"})
            os.mkdir(p.path("queue/deep"))
            with served(p.path("queue/deep/socket")):
                p.scenario(f"cat /out/readme /run/queue/f; [ \"$({ASK})\" = job ] && " + OUT + IDLE,
                           ["./queue:/run/queue", "./notes:/out"], data=how)
                done = p.run()
                equal(p.verdicts(), {"/out": "tolerated", "/run/queue": "safe"}, done.stdout + done.stderr)


def test_a_volume_that_is_a_folder_with_a_socket():
    """A named volume with o=bind: the runs have the folder's socket, and what a bind of it beside writes."""
    with project() as p:
        p.make("queue", {"f": "text\n"})
        p.make("notes", {"readme": "text\n"})
        os.mkdir(p.path("queue/deep"))
        name = f"rgsources-{os.getpid()}"
        docker("volume", "create", "-o", "type=none", "-o", "o=bind", "-o", f"device={p.path('queue')}", name)
        try:
            with served(p.path("queue/deep/socket")):
                ask = f"cat /out/readme /run/queue/f; [ \"$({ASK})\" = job ] && "
                p.scenario(ask + IDLE, [f"{name}:/run/queue", "./notes:/out"])
                done = p.run()
                equal(p.verdicts(), {"/out": "safe", "/run/queue": "safe"}, done.stdout + done.stderr)
                p.scenario(ask + "echo x > /again/made && cat /run/queue/made && " + IDLE, [f"{name}:/run/queue", "./queue:/again", "./notes:/out"])
                done = p.run()
                equal(p.verdicts(), {"/out": "safe", "/again": "required", "/run/queue": "safe"}, done.stdout + done.stderr)
            equal(sorted(os.listdir(p.path("queue"))), ["deep", "f"])
        finally:
            docker("volume", "rm", "-f", name)


def test_a_socket_that_nobody_listens_on_is_no_data():
    """As a server that was killed leaves it: its next start removes and makes it, which a mount there would refuse."""
    with project() as p:
        p.make("queue", {"f": "text\n"})
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(p.path("queue/socket"))
        p.scenario("cat /run/queue/f; rm -f /run/queue/socket || exit 3; perl -MIO::Socket::UNIX -e "
                   "'IO::Socket::UNIX->new(Local => \"/run/queue/socket\", Listen => 1) or exit 4; sleep 1' || exit 5; " + IDLE,
                   ["./queue:/run/queue"])
        verdicts_are(p, {"/run/queue": "required"})
        equal(p.result["runs"][0]["id"], 1)


def test_a_socket_that_the_application_makes_itself_is_its_own():
    """It is in use, and one of that name is there: the runs must not be given the one of the application in use."""
    with project() as p:
        p.make("queue", {"f": "text\n"})
        with served(p.path("queue/socket")):
            p.scenario("cat /run/queue/f; rm -f /run/queue/socket || exit 3; perl -MIO::Socket::UNIX -e "
                       "'IO::Socket::UNIX->new(Local => \"/run/queue/socket\", Listen => 1) or exit 4; sleep 1' || exit 5; " + IDLE,
                       ["./queue:/run/queue"])
            done = p.run()
            equal(p.verdicts(), {"/run/queue": "required"}, done.stdout + done.stderr)
            contains(done.stderr, "the application makes or changes /run/queue/socket itself, so the runs are made again")
            assert os.path.exists(p.path("queue/socket"))


def test_a_socket_whose_mode_the_application_changes_is_a_doubt():
    """The real one is not to be changed, and without it the application would not do what it does in use."""
    with project() as p:
        p.make("queue", {"f": "text\n"})
        p.make("notes", {"readme": "text\n"})
        with served(p.path("queue/socket")):
            os.chmod(p.path("queue/socket"), 0o755)
            p.scenario("cat /out/readme /run/queue/f; chmod 777 /run/queue/socket; " + ASK.replace("deep/", "") + " && " + OUT + IDLE,
                       ["./queue:/run/queue", "./notes:/out"])
            done = p.run()
            equal(p.verdicts(), {"/out": "inconclusive", "/run/queue": "inconclusive"}, done.stdout + done.stderr)
            contains(p.mount("/out")["reason"], "/run/queue/socket: the application changes its owner, mode or times")
            equal(os.stat(p.path("queue/socket")).st_mode & 0o777, 0o755)


def test_a_fifo_within_a_source_is_the_real_one():
    with project() as p:
        p.make("queue", {"f": "text\n"})
        p.make("notes", {"readme": "text\n"})
        os.mkfifo(p.path("queue/pipe"), 0o666)
        reader = subprocess.Popen(["sh", "-c", "while :; do cat; done <>\"$0\" | head -c 1000000 >\"$1\"", p.path("queue/pipe"), p.path("heard")],
                                  start_new_session=True)
        try:
            p.scenario("cat /out/readme /run/queue/f; echo hello >/run/queue/pipe && " + OUT + IDLE, ["./queue:/run/queue", "./notes:/out"])
            done = p.run()
            equal(p.verdicts(), {"/out": "tolerated", "/run/queue": "safe"}, done.stdout + done.stderr)
        finally:
            os.killpg(reader.pid, 9)
            reader.wait()


def test_the_kernels_own_file_systems_are_as_they_are():
    """The uptime goes on; it is proven that nothing can be written there though no file can be made in /proc."""
    for mode, verdict in ((":ro", "already-ro"), ("", "safe")):
        with project() as p:
            p.make("notes", {"readme": "text\n"})
            p.scenario("cat /out/readme; a=$(cat /host/proc/uptime); sleep 1.1; [ \"$a\" != \"$(cat /host/proc/uptime)\" ] && " + OUT + IDLE,
                       [f"/proc:/host/proc{mode}", "./notes:/out"])
            done = p.run()
            equal(p.verdicts(), {"/host/proc": verdict, "/out": "tolerated"}, done.stdout + done.stderr)


def test_what_the_host_has_read_only_stays_so():
    needs_root()
    with project() as p:
        p.make("frozen", {})
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", p.path("frozen")], check=True)
        try:
            with open(p.path("frozen/f"), "w") as file:
                file.write("text\n")
            subprocess.run(["mount", "-o", "remount,ro", p.path("frozen")], check=True)
            p.make("notes", {"readme": "text\n"})
            p.scenario("cat /out/readme /data/f; if (echo x >/data/new) 2>/dev/null; then exit 0; fi; " + OUT + IDLE,
                       ["./frozen:/data", "./notes:/out"])
            done = p.run()
            equal(p.verdicts()["/out"], "tolerated", done.stdout + done.stderr)
        finally:
            subprocess.run(["umount", p.path("frozen")], check=True)


def test_what_a_patch_makes_of_a_volume_can_be_run_again():
    """Read-only, with a part of it writable: the arrangement of a patch for engines from API 1.45 on."""
    docker("volume", "create", "rogate-case-shop")
    try:
        docker("run", "--rm", "-v", "rogate-case-shop:/v", IMAGE, "sh", "-c", "mkdir /v/db; echo text | tee /v/f >/v/db/f")
        with project() as p:
            with open(p.path("compose.yaml"), "w") as out:
                out.write(f"""services:
  web:
    image: {IMAGE}
    command: [sh, -c, "cat /data/f; echo more >>/data/db/f || exit 3; echo no >/data/g; {IDLE}"]
    volumes:
      - data:/data:ro
      - type: volume
        source: data
        target: /data/db
        volume:
          subpath: db
volumes:
  data:
    external: true
    name: rogate-case-shop
""")
            with open(p.path("scenario.yaml"), "w") as out:
                json.dump({"name": "case", "subject": {"compose": {"file": "compose.yaml", "service": "web"}},
                           "ready": {"timeout": "15s", "log": "started"}}, out)
            done = p.run()
            output = done.stdout + done.stderr
            equal({target: p.verdicts()[target] for target in ("/data", "/data/db")}, {"/data": "already-ro", "/data/db": "required"}, output)
            equal([each["path"] for each in p.mount("/data")["attempts"]], ["/data/g"])
            equal((p.mount("/data/db")["source"], p.mount("/data/db")["subpath"]), ("rogate-case-shop", "db"))
            seen = docker("run", "--rm", "-v", "rogate-case-shop:/v:ro", IMAGE, "sh", "-c", "cd /v; find . -type f | sort; cat db/f")
            equal(seen.split(), ["./db/f", "./f", "text"])
    finally:
        docker("volume", "rm", "rogate-case-shop")


def test_who_looks_for_what_the_runs_lack_is_doubted():
    """By a name alone, by an open that fails, by connecting, also as 32-bit programs do; and a mount that nobody looks at doubts nothing."""
    needs_root()
    missed = "{ %s; } 2>/dev/null && " + OUT
    looks = {"[ -e /data/below/version ]": "inconclusive",
             "ln -s /data /tmp/link; cat /tmp/link/below/self/status": "inconclusive",
             "perl -MIO::Socket::UNIX -e 'exit !IO::Socket::UNIX->new(Peer => \"/data/below/socket\")'": "inconclusive",
             "/p/seen asked /data/below/socket": "inconclusive",
             "false": "safe"}
    with project() as p:
        p.make("data", {"f": "text\n"})
        p.make("notes", {"readme": "text\n"})
        os.makedirs(p.path("data/below"))
        subprocess.run(["mount", "-t", "proc", "proc", p.path("data/below")], check=True)
        try:
            for look, verdict in looks.items():
                p.scenario("cat /out/readme; " + missed % look + IDLE,
                           ["./data:/data", "./notes:/out", SEEN], candidates=["/out"])
                done = p.run("--observer", "ebpf")
                equal(p.verdicts()["/out"], verdict, look + done.stdout + done.stderr + json.dumps(p.result["runs"]))
                if verdict == "inconclusive":
                    contains(p.mount("/out")["reason"], "/data: what is mounted below its source (/data/below (proc))")
        finally:
            subprocess.run(["umount", p.path("data/below")], check=True)


def test_an_empty_volume_is_filled_from_the_image_where_data_are_copied():
    docker("volume", "create", "rogate-case-empty")
    try:
        with project() as p:
            p.make("notes", {"readme": "text\n"})
            p.scenario("cat /out/readme; [ -e /usr/share/nginx/html/index.html ] && " + OUT + IDLE,
                       [{"type": "volume", "source": "rogate-case-empty", "target": "/usr/share/nginx/html"}, "./notes:/out"],
                       candidates=["/out"], data="copy", subject={"image": "rogate/nginx"})
            done = p.run()
            equal(p.verdicts()["/out"], "tolerated", done.stdout + done.stderr)
        equal(docker("run", "--rm", "-v", "rogate-case-empty:/v:ro", IMAGE, "ls", "/v"), "")
    finally:
        docker("volume", "rm", "rogate-case-empty")


def test_two_names_of_one_file_in_two_sources_are_doubted():
    """Through one source, or where nobody writes, they are one file in the runs as well."""
    with project() as p:
        p.make("data", {"f": "text\n"})
        p.make("other", {})
        p.make("notes", {"readme": "text\n"})
        os.link(p.path("data/f"), p.path("other/g"))
        for mounts, verdict in ((["./data:/data", "./other:/other"], "inconclusive"), (["./:/all", "./data:/data", "./other:/other"], "tolerated")):
            p.scenario("cat /out/readme; echo more >>/data/f && grep -q more /other/g && " + OUT + IDLE, [*mounts, "./notes:/out"],
                       candidates=["/out"])
            done = p.run()
            equal(p.verdicts()["/out"], verdict, done.stdout + done.stderr)
        contains(open(p.path("data/f")).read(), "text")


def test_times_are_those_of_the_source_to_the_nanosecond():
    """By which make and others tell which of two files is newer. Of a root and below it, of a copy, and of a single file."""
    when = 1_577_934_245_123_456_789
    same = " && ".join(f"[ $(stat -c %.9Y {path}) = 1577934245.123456789 ]" for path in ("/data", "/data/sub/f", "/one"))
    for how in ("overlay", "copy"):
        with project() as p:
            p.make("data", {})
            os.makedirs(p.path("data/sub"))
            p.make("notes", {"readme": "text\n", "one": "text\n"})
            with open(p.path("data/sub/f"), "w") as out:
                out.write("text\n")
            for name in ("data/sub/f", "data", "notes/one"):
                os.utime(p.path(name), ns=(when, when))
            p.scenario("cat /out/readme; " + same + " && " + OUT + IDLE, ["./data:/data", "./notes/one:/one", "./notes:/out"],
                       candidates=["/out"], data=how)
            done = p.run()
            equal(p.verdicts()["/out"], "tolerated", how + done.stdout + done.stderr)
