"""Opening for writing is not writing: what was refused to be opened for reading and writing, and was only read, is no lost change.
One doubt is enough to call it one."""
import os

from support import IDLE, contains, docker, equal, project

# Each mount has a file `f`. `both` is what SQLite does: for reading and writing, and where that is refused, for reading.
PERL = r"""
use Fcntl; $SIG{ALRM} = sub { exit 9 }; alarm 20;
sub both { my ($path, $more) = @_; my $h; sysopen($h, $path, O_RDWR | ($more || 0)) || sysopen($h, $path, O_RDONLY) || exit 1; return $h }
sub text { my $h = shift; my $text; sysread($h, $text, 100) || exit 2; return $text }
text(both("/only-read/f")); text(both("/was-there/f", O_CREAT));
chdir("/by-name"); text(both("f")); text(both("f"));
{ my $h; sysopen($h, "/gives-up/f", O_RDWR); }
{ my $h = both("/same-bytes/f"); my $t = text($h); sysseek($h, 0, 0); syswrite($h, $t); }
both("/append/f", O_APPEND);
{ my $h; sysopen($h, "/write-only/f", O_WRONLY) || sysopen($h, "/write-only/f", O_RDONLY); }
{ my $h = both("/mode/f"); chmod((stat $h)[2] & 07777, $h); }
{ my $h; sysopen($h, "/made/new", O_RDWR | O_CREAT) || sysopen($h, "/made/f", O_RDONLY); }
if (!fork) { my $h; sysopen($h, "/child/f", O_RDWR); exit 0 } wait; { my $h; sysopen($h, "/child/f", O_RDONLY); }
{ my $h; both("/twice/f"); sysopen($h, "/twice/f", O_RDWR); }
{ my $h = both("/mapped/f"); my $at = syscall(9, 0, 4096, 3, 1, fileno($h), 0); open(my $z, "<", "/dev/zero");
  syscall(0, fileno($z), $at, 1) if $at > 0; }
{ my $h = both("/renamed/f"); rename("/renamed/f", "/renamed/g"); rename("/renamed/g", "/renamed/f"); }
text(both("/one-file")); text(both("/volume/f"));
"""
SAFE = ("/only-read", "/was-there", "/by-name")
TOLERATED = ("/gives-up", "/same-bytes", "/append", "/write-only", "/mode", "/made", "/child", "/twice", "/mapped", "/renamed",
             "/one-file")


def opened(observer):
    with project() as p:
        for target in (*SAFE, *TOLERATED[:-1]):
            p.make(target[1:], {"f": "text\n"})
        p.make("files", {"one": "text\n", "p.pl": PERL})
        mounts = [f".{target}:{target}" for target in (*SAFE, *TOLERATED[:-1])]
        # A single file is copied, and a new volume has nothing below it: there is no layer to compare.
        p.scenario("mkdir /tmp/x; [ -e /volume/f ] || echo text >/volume/f; perl /p.pl || exit; " + IDLE,
                   [*mounts, "./files/one:/one-file", "./files/p.pl:/p.pl:ro", "/volume"],
                   candidates=[*SAFE, *TOLERATED])
        done = p.run("--observer", observer)
        output = done.stdout + done.stderr
        got = p.verdicts()
        equal({target: got[target] for target in (*SAFE, *TOLERATED)},
              {**dict.fromkeys(SAFE, "safe"), **dict.fromkeys(TOLERATED, "tolerated")}, output)
        equal(len(p.result["runs"]), 2, output)
        found = p.mount("/only-read")
        equal([(each["path"], each["class"]) for each in found["attempts"]], [("/only-read/f", "no-op")])
        contains(found["reason"], "/only-read/f was opened for writing and only read")
        equal(found.get("writes", []), [], output)
        for target in (*SAFE, *TOLERATED[:-1]):
            equal(os.listdir(p.path(target[1:])), ["f"])


def test_what_is_opened_for_writing_and_only_read_is_no_write():
    opened("ebpf")


def test_ptrace_tells_what_is_only_read_as_well():
    opened("ptrace")


def test_a_volume_of_the_users_is_only_read_as_well():
    """The way of openat2(2), and of a path through /proc/self, is another one."""
    docker("volume", "create", "rogate-case-opened")
    try:
        docker("run", "--rm", "-v", "rogate-case-opened:/v", "rogate/base:bookworm", "sh", "-c", "echo text >/v/f")
        with project() as p:
            p.scenario("cd /v; { cat <>/v/f || cat /v/f; } 2>/dev/null; { cat <>f || cat f; } 2>/dev/null; " + IDLE,
                       [{"type": "volume", "source": "rogate-case-opened", "target": "/v"}])
            done = p.run()
            # Another process reads than was refused.
            equal(p.verdicts()["/v"], "tolerated", done.stdout + done.stderr)
            p.scenario("cd /v; perl -e 'for (1..3) { open(F, \"+<\", \"f\") or open(F, \"<\", \"f\") or exit 1; print <F> }'; " + IDLE,
                       [{"type": "volume", "source": "rogate-case-opened", "target": "/v"}])
            done = p.run()
            equal(p.verdicts()["/v"], "safe", done.stdout + done.stderr)
            equal(p.mount("/v")["attempts"][0]["count"], 3)
    finally:
        docker("volume", "rm", "rogate-case-opened")
