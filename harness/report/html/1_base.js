// Text reaches the page by textContent alone; nothing is ever parsed as HTML.
const $ = (id) => document.getElementById(id);

function el(name, className, text) {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

const many = (n, one, more) => `${n.toLocaleString('en')} ${n === 1 ? one : more}`;
const seconds = (s) => `${s.toFixed(1)} s`;
// They have the colours of the mounts' verdicts.
const CAPABILITY_COLOURS = {unused: 'safe', tolerated: 'tolerated', needed: 'required', inconclusive: 'inconclusive'};
const verdictClass = (verdict) => (verdict === 'split' ? 'split-v' : verdict);
const data = JSON.parse($('data').textContent);
$('data').remove();

// A row as result.json's attempt, the words looked up; `failed`: refused read-only, else written in the control run.
function rowsOf(result) {
  const rows = [];
  const word = result.words;
  result.mounts.forEach((mount, index) => {
    for (const [path, failed, op, error, cls, phase, process, count, control, at] of mount.rows) {
      rows.push({mount: index, path, failed: failed === 1, op: word[op], error: word[error], cls: word[cls],
        phase: word[phase], process: word[process], count, control: word[control], at});
    }
    mount.held = mount.rows.length;
    mount.rows = null;
  });
  return rows;
}
for (const result of data.results) result.rows = rowsOf(result);

const state = {result: data.results[0], chosen: 0, verdicts: new Set(), shown: []};

let saying;
function say(text) {
  $('said').textContent = text;
  clearTimeout(saying);
  saying = setTimeout(() => { $('said').textContent = ''; }, 2500);
}

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without the clipboard's permission: the way of before.
    const area = el('textarea');
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    if (!done) return say(`Copying is not allowed here; select the ${what} and copy it`);
  }
  say(`Copied the ${what}`);
}
