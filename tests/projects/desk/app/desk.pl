# The desk's programs in one file: web and api answer requests, worker takes jobs from the queue, scheduler fills it.
use strict;
use warnings;
use IO::Socket::INET;
use Time::HiRes 'sleep';

my $role = shift // die "usage: desk.pl web|api|worker|scheduler|--check\n";
$| = 1;
$SIG{TERM} = sub { exit 0 };
if ($role eq '--check') {
    exit(IO::Socket::INET->new(PeerAddr => '127.0.0.1:8000', Timeout => 2) ? 0 : 1);
}

# Every file of a folder: name -> content.
sub all_of {
    my ($folder) = @_;
    opendir my $open, $folder or die "$folder: $!\n";
    my %found;
    for my $name (sort grep { -f "$folder/$_" } readdir $open) {
        open my $file, '<', "$folder/$name" or die "$folder/$name: $!\n";
        local $/;
        $found{$name} = <$file>;
    }
    return %found;
}

sub keep {
    my ($path, $text, $mode) = @_;
    open my $file, $mode // '>', $path or die "$path: $!\n";
    print $file $text;
    close $file or die "$path: $!\n";
}

sub sql {
    my ($statement) = @_;
    open my $psql, '-|', 'psql', '-Atqc', $statement or die "psql: $!\n";
    my @rows = <$psql>;
    close $psql or die "psql failed\n";
    return join '', @rows;
}

# One command of Redis's inline form; what it answers, or nothing.
sub redis {
    my ($where, $command) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => $where, Timeout => 5) or die "$where: $!\n";
    print $socket "$command\r\n";
    my $answer = <$socket> // die "$where: no answer\n";
    return $answer =~ /^\$(\d+)/ ? (scalar <$socket>) =~ s/\r?\n//r : undef;
}

sub put_object {
    my ($name, $text) = @_;
    my $store = IO::Socket::INET->new(PeerAddr => $ENV{STORE}, Timeout => 5) or die "$ENV{STORE}: $!\n";
    print $store "PUT /objects/$name HTTP/1.0\r\nContent-Length: " . length($text) . "\r\n\r\n$text";
    my $status = <$store> // '';
    die "store: $status\n" unless $status =~ / 20[14] /;
}

sub serve {
    my ($answer) = @_;
    my $server = IO::Socket::INET->new(LocalPort => 8000, Listen => 16, ReuseAddr => 1) or die "port 8000: $!\n";
    print "$role listens\n";
    while (1) {
        my $client = $server->accept or next;
        my $request = <$client> // '';
        while (my $line = <$client>) { last if $line =~ /^\r?\n$/ }
        my ($path) = $request =~ m{^GET (\S+)} or next;
        my ($status, $type, $text) = eval { $answer->($path) };
        ($status, $type, $text) = ('500 Internal Server Error', 'text/plain', $@) unless defined $status;
        print $client "HTTP/1.1 $status\r\nContent-Type: $type\r\nContent-Length: " . length($text)
            . "\r\nConnection: close\r\n\r\n$text";
        close $client;
    }
}

if ($role eq 'web') {
    my %words = all_of('/srv/i18n');
    my %theme = all_of('/srv/theme');
    all_of('/etc/ssl/desk');
    serve(sub {
        keep('/var/lib/desk/sessions/last', time);
        redis($ENV{CACHE}, "SET visited $$");
        my $tickets = sql('SELECT title FROM tickets ORDER BY id');
        my $items = join '', map {"<li>$_</li>"} split /\n/, $tickets;
        return ('200 OK', 'text/html', "$theme{'head.html'}<h1>$words{'title.txt'}</h1><ul>$items</ul>"
            . "<a href=\"/api/files\">files</a> <a href=\"/about.html\">about</a>");
    });
} elsif ($role eq 'api') {
    my %schemas = all_of('/srv/schemas');
    all_of('/srv/i18n');
    all_of('/etc/ssl/desk');
    serve(sub {
        my ($path) = @_;
        return ('404 Not Found', 'text/plain', "no $path\n") unless $path =~ m{^/api/files};
        # A preview is made the first time that somebody looks.
        keep('/srv/uploads/preview.txt', "preview\n") unless -e '/srv/uploads/preview.txt';
        redis($ENV{QUEUE}, 'LPUSH jobs preview');
        return ('200 OK', 'application/json', $schemas{'files.json'});
    });
} elsif ($role eq 'worker') {
    my %jobs = all_of('/srv/jobs');
    all_of('/srv/fonts');
    all_of('/srv/schemas');
    print "worker knows ", join(' ', sort keys %jobs), "\n";
    while (1) {
        my $job = redis($ENV{QUEUE}, 'RPOP jobs');
        if (!defined $job) { sleep 0.2; next }
        my %uploads = all_of('/srv/uploads');
        keep("/var/spool/desk/$job", "work on $job\n");
        put_object("$job.txt", "$job done with " . keys(%uploads) . " files\n");
        sql("UPDATE tickets SET done = true WHERE title = '$job'");
        unlink "/var/spool/desk/$job" or die "/var/spool/desk/$job: $!\n";
        keep('/var/log/desk/worker.log', "$job done\n", '>>');
    }
} elsif ($role eq 'scheduler') {
    my %jobs = all_of('/srv/jobs');
    my %cron = all_of('/etc/desk/cron');
    print "scheduler has ", join(' ', sort keys %cron), "\n";
    while (1) {
        redis($ENV{QUEUE}, 'LPUSH jobs ' . ($jobs{'every'} =~ s/\s.*//sr));
        keep('/var/lib/scheduler/last', "ran\n");
        sleep 1;
    }
} else {
    die "no role '$role'\n";
}
