"""Acceptance tests in GoogleTest (rogate/gtest.hpp) are the scenario, and ask for verdicts."""
import os
import subprocess

from support import ROGATE, contains, equal, project

SHOP_TEST = os.path.join(os.path.dirname(ROGATE), "tests", "library", "shop_test")
SERVER = r"""use IO::Socket::INET;
$SIG{TERM} = sub { exit };
my $server = IO::Socket::INET->new(LocalPort => 8080, Listen => 5, ReuseAddr => 1) or die;
while (my $client = $server->accept) {
    my $asked = <$client>;
    while (<$client> =~ /\S/) {}
    my $text = "";
    if ($asked =~ m{/name}) { open my $f, "<", "/conf/name" or die; $text = <$f>; chomp $text; }
    elsif ($asked =~ m{/visit}) {
        open my $f, "<", "/data/visits"; my $n = $f ? <$f> : 0; $n++;
        if (open my $g, ">", "/data/visits") { print $g $n; $text = $n; }
    }
    print $client "HTTP/1.0 200 OK\r\n\r\n$text";
    close $client;
}
"""
COMPOSE = """services:
  web:
    image: rogate/base:bookworm
    command: [perl, /app/server.pl]
    expose: [8080]
    volumes: ["./app:/app:ro", "./conf:/conf", "./data:/data"]
"""


def test_a_fixture_is_the_scenario_and_asks_for_verdicts():
    with project() as p:
        p.make("app", {"server.pl": SERVER})
        p.make("conf", {"name": "books\n"})
        p.make("data", {"visits": "7"})
        with open(p.path("compose.yaml"), "w") as file:
            file.write(COMPOSE)
        done = subprocess.run([SHOP_TEST], cwd=p.folder, capture_output=True, text=True, timeout=240,
                              env={**os.environ, "ROGATE_PROGRAM": ROGATE})
        output = done.stdout + done.stderr
        equal(done.returncode, 1, output)
        for line in ("[  SKIPPED ] Shop.CountsVisitors", "[  SKIPPED ] Shop.HasAName", "[       OK ] ShopVerdicts.ConfigurationIsNotWritten",
                     "[       OK ] ShopVerdicts.VisitorsAreKept", "[  FAILED  ] ShopVerdicts.IsWrongOnPurpose",
                     "web: /data is required", "Shop.CountsVisitors"):
            contains(output, line)
        contains(output, "open-write /data/visits by perl")
        with open(p.path("data/visits")) as file:
            equal(file.read(), "7", "the user's data changed")
