// The recommended change, and the runs on one scale of time.
function copyBlock(title, text, extra) {
  const box = el('div', 'copy');
  const bar = el('div');
  const button = el('button', '', 'Copy');
  button.type = 'button';
  button.setAttribute('aria-label', `Copy the ${title}`);
  button.addEventListener('click', () => copy(text, title));
  const heading = el('h3', '', title[0].toUpperCase() + title.slice(1));
  bar.append(heading, button);
  const pre = el('pre', '', text);
  pre.tabIndex = 0;
  pre.setAttribute('role', 'region');
  pre.setAttribute('aria-label', title);
  box.append(bar, pre, ...extra.map((note) => el('p', '', note)));
  return box;
}

const flagsText = () => state.result.advice.flags.join(' \\\n');

function drawChange() {
  const {readOnly, writable, hardened, notes: left, verified} = state.result.advice;
  if (readOnly.length === 0 && writable.length === 0 && hardened.length === 0) {
    $('verified').textContent = 'None: nothing was found that passes.';
    return $('change').replaceChildren();
  }
  $('verified').textContent = verified === null ? 'Not verified: no run passed with just this.'
    : `Run ${verified} passed with just this.`;
  const blocks = readOnly.length > 0 ? [copyBlock('read-only mounts', readOnly.join('\n'), [])] : [];
  if (hardened.length > 0) blocks.push(copyBlock('capabilities', hardened.join('\n'), []));
  if (writable.length > 0) {
    blocks.push(copyBlock('writable paths', writable.map((each) => `${each.path}  ${each.as}`).join('\n'),
      writable.filter((each) => each.reason || each.make).map(writableText)));
  }
  blocks.push(copyBlock('docker run flags', flagsText(), left));
  $('change').replaceChildren(...blocks);
}

// Writes belong to the control run, what failed to the last run that the verdict rests on.
function marksByRun() {
  const marks = new Map();
  for (const row of state.result.rows) {
    if (row.at <= 0) continue;
    const run = row.failed ? state.result.mounts[row.mount].runs.at(-1) : 1;
    if (!marks.has(run)) marks.set(run, []);
    marks.get(run).push(row);
  }
  return marks;
}

function drawMarks(rows, total) {
  const box = el('div', 'marks');
  const seen = new Map();  // at most 200 places, however many rows
  for (const row of rows) {
    const place = `${Math.min(200, Math.round(200 * row.at / total))}${row.failed ? 'f' : 'w'}`;
    seen.set(place, (seen.get(place) ?? 0) + row.count);
  }
  for (const [place, count] of seen) {
    const mark = el('i', `dot ${place.slice(-1)}`);
    mark.style.left = `${parseInt(place, 10) / 2}%`;
    mark.title = `${count.toLocaleString('en')} ${place.endsWith('f') ? 'failed writes' : 'writes'} after ${seconds(total * parseInt(place, 10) / 200)}`;
    box.append(mark);
  }
  box.setAttribute('aria-hidden', 'true');
  return box;
}

function drawRun(run, longest, marks) {
  const item = el('li');
  const what = el('div', 'what');
  const title = el('span', '', ` ${run.kind}, ${run.passed ? 'passed' : 'failed'} in ${seconds(run.s)}`);
  title.prepend(el('b', '', `Run ${run.id}`));
  const small = [run.readOnly.length > 0 && `read-only: ${run.readOnly.join(', ')}`,
    run.hardened,
    run.writable.length > 0 && `writable: ${run.writable.map((each) => each.path).join(', ')}`,
    run.lost > 0 && `${many(run.lost, 'event', 'events')} lost`, run.problem].filter(Boolean);
  what.append(title, ...small.map((text) => el('small', '', text)));
  const bar = el('div');
  const phases = el('ol', 'phases');
  const total = Math.max(0.001, run.phases.reduce((sum, phase) => sum + phase.s, 0));
  phases.style.width = `${Math.max(8, 100 * total / longest)}%`;
  for (const phase of run.phases) {
    const part = el('li', phase.passed ? '' : 'bad', `${phase.passed ? '' : '✕ '}${phase.name}`);
    part.style.flexGrow = Math.max(phase.s, total / 50);
    part.title = `${phase.name}: ${phase.passed ? 'passed' : 'failed'} in ${phase.s.toFixed(2)} s`;
    phases.append(part);
  }
  bar.append(phases);
  if (marks.length > 0) {
    const line = drawMarks(marks, total);
    line.style.width = phases.style.width;
    bar.append(line);
  }
  for (const phase of run.phases) if (phase.message) bar.append(el('p', 'msg', `${phase.name}: ${phase.message}`));
  if (run.log.length > 0) {
    const details = el('details');
    const log = el('pre', '', run.log.join('\n'));
    log.tabIndex = 0;
    details.append(el('summary', '', 'Last output of the subject'), log);
    bar.append(details);
  }
  item.append(what, bar);
  return item;
}

function drawRuns() {
  const longest = Math.max(0.001, ...state.result.runs.map((run) => run.phases.reduce((sum, phase) => sum + phase.s, 0)));
  const marks = marksByRun();
  $('runs').replaceChildren(...state.result.runs.map((run) => drawRun(run, longest, marks.get(run.id) ?? [])));
}
