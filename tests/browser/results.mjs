// Results to render, made here so that nothing large lies in the repository.
const attempt = (path, more = {}) => ({
  path, operation: 'create', syscall: 'openat', errno: 'EROFS', class: 'write', phase: 'entrypoint',
  process: {comm: 'app', exe: '/usr/sbin/app', pid: 7, uid: 33}, count: 1, control: 'ok', first_s: 0, open_flags: 0, ...more,
});
const mount = (target, verdict, reason, more = {}) => ({
  target, type: 'bind', source: `/srv${target}`, verdict, reason, candidate: true, runs: [1, 2], writes_in_control: 0,
  attempts: [], writes: [], writable: [], costs: [], recommendation: {read_only: verdict === 'safe'},
  declared: {file: 'compose.yaml', line: 12, column: 9}, ...more,
});
const phase = (name, duration_s, passed = true, message = '') => ({name, passed, message, duration_s});
const run = (id, kind, read_only, phases, more = {}) => ({
  id, kind, read_only, writable: [], passed: phases.every((each) => each.passed), canary: {}, uses: {}, lost_events: 0,
  duration_s: phases.reduce((sum, each) => sum + each.duration_s, 0), phases, ...more,
});
const result = (more) => ({
  schema: 'rogate.result/1', scenario: 'shop', file: 'shop.yaml', started_at: '2026-01-02T03:04:05Z', duration_s: 21.4, data: 'overlay',
  engine: {name: 'Docker Engine', version: '20.10.24', api_version: '1.41', kernel: '6.1.0-18', os: 'Debian', cgroup_version: '2', host: 'unix:///x'},
  observer: {kind: 'ebpf', hooks: 'sys_exit'}, subject: {image: 'shop:staging', image_id: 'sha256:ab', environment: []},
  runs: [], mounts: [], recommendation: {read_only: [], writable: [], verified_by_run: null}, ...more,
});

export function ordinary() {
  const keep = {path: '/srv/app/run', as: 'tmpfs', mount: '/srv/app', tmpfs_options: 'uid=33,gid=33,mode=0755',
    reason: 'only a pid file is written there', needs_mount_point: true};
  const upload = {phase: 'step upload', process: {comm: 'php-fpm', exe: '/usr/sbin/php-fpm', pid: 8, uid: 33}};
  return result({
    runs: [
      run(1, 'control', [], [phase('entrypoint', 0.4), phase('ready', 1.1), phase('step upload', 0.8), phase('step still has it', 2.2), phase('shutdown', 0.3)]),
      run(2, 'probe', ['/etc/shop', '/usr/share/shop'], [phase('entrypoint', 0.4), phase('ready', 1.2), phase('step upload', 0.8), phase('step still has it', 2.1), phase('shutdown', 0.3)]),
      run(3, 'probe', ['/data'], [phase('entrypoint', 0.4), phase('ready', 1.0), phase('step upload', 0.2, false, 'expected status 201, got 500 (body: "cannot store the picture")')],
        {log_tail: 'starting\\x0aerror: open /data/uploads/1.png: Read-only file system\\x0a'}),
      run(4, 'verify', ['/etc/shop', '/srv/app', '/usr/share/shop'], [phase('entrypoint', 0.5), phase('ready', 1.9), phase('step upload', 0.9), phase('step still has it', 2.2), phase('shutdown', 0.3)], {writable: [keep]}),
    ],
    mounts: [
      mount('/data', 'required', 'read-only fails step upload: expected status 201, got 500 (body: "cannot store the picture")', {runs: [1, 3],
        attempts: [attempt('/data/uploads/1.png', {...upload, count: 3, first_s: 1.5}), attempt('/data/uploads', {...upload, operation: 'access', class: 'access-check', first_s: 1.45})],
        writes: ['1', '2', '3'].map((name, i) => attempt(`/data/uploads/${name}.png`, {...upload, errno: 'ok', first_s: 1.6 + i / 5})).concat(attempt('/data/index/list.db', {errno: 'ok', operation: 'open-write', first_s: 0.3}), attempt('/data/index/list.db-wal', {errno: 'ok', first_s: 0.35}))}),
      mount('/etc/shop', 'safe', 'read 12 times, never written to'),
      mount('/srv/app', 'split', 'read-only fails ready; passes with /srv/app/run (tmpfs) writable', {type: 'volume', source: 'app', runs: [1, 4], writable: [keep],
        costs: [{phase: 'ready', control_s: 1.1, read_only_s: 1.9}], writes: [attempt('/srv/app/run/shop.pid', {errno: 'ok', first_s: 0.2})]}),
      mount('/usr/share/shop', 'tolerated', 'passes read-only, though 1 kind of write failed that would have changed something', {
        attempts: [attempt('/usr/share/shop/cache/templates.bin', {operation: 'open-write', first_s: 0.8})], writes: [attempt('/usr/share/shop/cache/templates.bin', {errno: 'ok', first_s: 0.7})]}),
      mount('/unused', 'untested', 'nothing opened or listed anything on it'),
      mount('/var/run/docker.sock', 'ineffective', 'the source is a unix socket: whoever may open it can use it through a read-only mount as well'),
      mount('/var/spool', 'inconclusive', 'run 2 cannot be relied on: 7 events were lost; what they were is not known'),
      mount('/etc/ssl', 'already-ro', 'is mounted read-only; nothing failed on it'),
    ],
    recommendation: {read_only: ['/etc/shop', '/srv/app', '/usr/share/shop'], writable: [keep], verified_by_run: 4},
  });
}

export function large(attempts) {
  const operations = ['create', 'mkdir', 'rename', 'unlink', 'chmod'];
  const list = Array.from({length: attempts}, (_, i) => attempt(`/data/${i % 97}/${i % 1009}/file-${i}.tmp`, {
    operation: operations[i % 5], phase: i % 2 ? 'entrypoint' : 'step upload', first_s: (i % 3000) / 1000,
    process: {comm: `worker-${i % 13}`, exe: '/usr/bin/worker', pid: i, uid: 33}}));
  return result({runs: [run(1, 'control', [], [phase('ready', 3)]), run(2, 'probe', ['/data'], [phase('ready', 3)])],
    mounts: [mount('/data', 'tolerated', `passes read-only, though ${attempts} kinds of write failed`, {attempts: list})],
    recommendation: {read_only: ['/data'], writable: [], verified_by_run: 2}});
}

// As they stand in result.json: escaped already, or as another program might have written them.
export const hostileTexts = [
  '/data/</script><script>window.hacked = 1; alert(1)</script>', '/data/<img src=x onerror="window.hacked=1">',
  '/data/<!--<script>', '/data/"><svg onload=alert(1)>', '/data/\u2028\u2029\u202e', '/data/{{data}}{{title}}',
  "/data/';alert(1);//", '/data/\\x1b[31m\\x0a\\xff', `/data/${'x'.repeat(4096)}`, '/data/__proto__/constructor', '/data/&lt;b&gt;',
  'javascript:alert(1)', 'http://192.0.2.1/x',
];
export function hostile() {
  return result({
    scenario: hostileTexts[0], file: hostileTexts[1],
    runs: [run(1, 'control', [], hostileTexts.map((text) => phase(text, 0.1, false, text)), {log_tail: hostileTexts.join('\\x0a')}),
      run(2, 'probe', hostileTexts, [phase('ready', 1)])],
    mounts: hostileTexts.map((text) => mount(text, 'tolerated', text, {source: text, declared: {file: text, line: 1, column: 1},
      attempts: hostileTexts.map((path) => attempt(path, {phase: text, process: {comm: text, exe: text, pid: 1, uid: 0}})),
      writes: hostileTexts.map((path) => attempt(path, {errno: 'ok', first_s: 0.5})),
      writable: [{path: text, as: 'tmpfs', mount: text, tmpfs_options: text, reason: text, needs_mount_point: true}],
      costs: [{phase: text, control_s: 1, read_only_s: 2}]})),
    recommendation: {read_only: hostileTexts, writable: hostileTexts.map((path) => ({path, as: 'volume', mount: path, reason: path})), verified_by_run: 2},
  });
}
