// All attempts in a list that draws only what is in view.
const ROW = 30;

function options(id, values) {
  const select = $(id);
  select.replaceChildren(new Option('all', ''));
  for (const [value, text] of values) select.append(new Option(text.length > 60 ? `${text.slice(0, 60)}…` : text, value));
}

function fillFilters() {
  const rows = state.result.rows;
  const distinct = (key) => [...new Set(rows.map((row) => row[key]))].sort().map((text) => [text, text]);
  options('f-mount', state.result.mounts.map((mount, index) => [String(index), mount.target]));
  options('f-class', distinct('cls'));
  options('f-phase', distinct('phase'));
  options('f-process', distinct('process'));
}

function filter() {
  const words = $('search').value.toLowerCase().split(/\s+/).filter(Boolean);
  const [mount, outcome, cls, phase, process] =
    ['f-mount', 'f-outcome', 'f-class', 'f-phase', 'f-process'].map((id) => $(id).value);
  const mounts = state.result.mounts;
  state.shown = state.result.rows.filter((row) =>
    (mount === '' || row.mount === Number(mount)) && (outcome === '' || row.failed === (outcome === '1')) &&
    (cls === '' || row.cls === cls) && (phase === '' || row.phase === phase) &&
    (process === '' || row.process === process) &&
    (state.verdicts.size === 0 || state.verdicts.has(mounts[row.mount].verdict)) &&
    words.every((word) => matches(row, word)));
  const all = state.result.rows.length;
  const held = mounts.reduce((sum, each) => sum + each.failed + each.wrote, 0);
  $('count').textContent = `${many(state.shown.length, 'kind', 'kinds')} of ${all.toLocaleString('en')}` +
    (held > all ? `; ${(held - all).toLocaleString('en')} more are in result.json: this page holds a part` : '');
  $('spacer').style.height = `${state.shown.length * ROW}px`;
  $('list').setAttribute('aria-rowcount', state.shown.length + 1);
  $('scroll').classList.toggle('short', state.shown.length < 14);
  $('scroll').scrollTop = 0;
  drawRows();
}

const matches = (row, word) => row.path.toLowerCase().includes(word) || row.op.includes(word) ||
  row.process.toLowerCase().includes(word) || row.phase.toLowerCase().includes(word) ||
  row.error.toLowerCase().includes(word) || row.cls.includes(word);

function cells(row) {
  const note = row.cls === 'write' ? '' : ` (${row.cls})`;
  return [row.failed ? row.error : 'written', row.op + note, row.path, row.phase, row.process, row.count.toLocaleString('en')];
}

function drawRows() {
  const box = $('scroll');
  const first = Math.max(0, Math.floor(box.scrollTop / ROW) - 10);
  const last = Math.min(state.shown.length, first + Math.ceil(Math.max(box.clientHeight, 420) / ROW) + 20);
  const lines = [];
  for (let i = first; i < last; ++i) {
    const row = state.shown[i];
    const line = el('div', 'row');
    line.setAttribute('role', 'row');
    line.setAttribute('aria-rowindex', i + 2);
    line.style.top = `${i * ROW}px`;
    const classes = [row.failed ? 'o-f' : 'o-w', '', 'path', '', '', 'n'];
    cells(row).forEach((text, column) => {
      const cell = el('span', classes[column], text);
      cell.setAttribute('role', 'cell');
      if (column === 2 || column === 1) cell.title = text;
      line.append(cell);
    });
    lines.push(line);
  }
  $('spacer').replaceChildren(...lines);
}

// On paper there is no scrolling: the first of what is filtered, and how many are left out.
const PRINTED = 300;
function drawPrinted() {
  const table = el('table');
  const head = el('tr');
  for (const name of ['Outcome', 'Operation', 'Path', 'Phase', 'Process', 'Times']) head.append(el('th', '', name));
  table.append(head);
  for (const row of state.shown.slice(0, PRINTED)) {
    const line = el('tr');
    line.append(...cells(row).map((text, column) => el('td', column === 2 ? 'mono' : '', text)));
    table.append(line);
  }
  const left = state.shown.length - PRINTED;
  $('printed').replaceChildren(table, ...(left > 0 ? [el('p', '', `${many(left, 'kind', 'kinds')} more on the page and in result.json.`)] : []));
}
