# The shop's application: POST /pictures/NAME keeps a picture and its row, GET /pictures lists them, and GET /upload is a page by
# which a visitor sends one.
use strict;
use warnings;
use IO::Socket::INET;

if (($ARGV[0] // '') eq '--check') {
    my $up = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $ARGV[1], Timeout => 2) or exit 1;
    exit 0;
}
my $port = shift // 8000;
open my $conf, '<', '/etc/shop.conf' or die "/etc/shop.conf: $!\n";
my %conf = map { /^(\w+)=(.*)$/ ? ($1 => $2) : () } <$conf>;
$SIG{TERM} = sub { exit 0 };
my $server = IO::Socket::INET->new(LocalPort => $port, Listen => 16, ReuseAddr => 1) or die "port $port: $!\n";
$| = 1;
print "$conf{title} listens on $port\n";

my $upload = <<'HTML';
<!DOCTYPE html><title>Upload</title><input type="file"><button>Send</button><output></output>
<script>
document.querySelector('button').onclick = async () => {
  const file = document.querySelector('input').files[0];
  const answer = await fetch('/pictures/' + file.name.replace(/\W.*/, ''), {method: 'POST', body: file});
  document.querySelector('output').textContent = await answer.text();
};
</script>
HTML

sub sql {
    my ($statement) = @_;
    open my $psql, '-|', 'psql', '-Atqc', $statement or die "psql: $!\n";
    my @rows = <$psql>;
    close $psql or die "psql failed\n";
    return join '', @rows;
}

while (1) {
    my $client = $server->accept or next;
    my $request = <$client> // '';
    my $length = 0;
    while (my $line = <$client>) {
        $length = $1 if $line =~ /^content-length:\s*(\d+)/i;
        last if $line =~ /^\r?\n$/;
    }
    read $client, my $body, $length if $length;
    my ($status, $text, $type) = eval {
        return ('200 OK', $upload, 'text/html') if $request =~ m{^GET /upload };
        # A session is a convenience: the shop goes on without it.
        if (open my $session, '>', "/var/lib/shop/sessions/last") { print $session time; close $session; }
        if ($request =~ m{^POST /pictures/(\w+)}) {
            open my $file, '>', "/srv/uploads/$1" or die "/srv/uploads/$1: $!\n";
            print $file $body // '';
            close $file or die "/srv/uploads/$1: $!\n";
            sql("INSERT INTO pictures VALUES ('$1', " . length($body // '') . ")");
            return ('201 Created', "kept\n");
        }
        return ('200 OK', "$conf{title}\n" . sql('SELECT name, bytes FROM pictures ORDER BY name'));
    };
    ($status, $text, $type) = ('500 Internal Server Error', $@) unless defined $status;
    print $client "HTTP/1.1 $status\r\nContent-Type: " . ($type // 'text/plain') . "\r\nContent-Length: " . length($text)
        . "\r\nConnection: close\r\n\r\n$text";
    close $client;
}
