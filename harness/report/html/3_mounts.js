// Mounts and their verdicts, and the chosen one in detail.
const shownMounts = () => state.result.mounts.map((mount, index) => ({mount, index}))
  .filter(({mount}) => state.verdicts.size === 0 || state.verdicts.has(mount.verdict));

function drawVerdicts() {
  const counts = new Map();
  for (const mount of state.result.mounts) counts.set(mount.verdict, (counts.get(mount.verdict) ?? 0) + 1);
  $('verdicts').replaceChildren(...[...counts].map(([verdict, count]) => {
    const button = el('button', verdictClass(verdict), `${count} ${verdict}`);
    button.type = 'button';
    button.title = state.result.mounts.find((mount) => mount.verdict === verdict).help;
    button.setAttribute('aria-pressed', state.verdicts.has(verdict));
    button.addEventListener('click', () => {
      if (!state.verdicts.delete(verdict)) state.verdicts.add(verdict);
      button.setAttribute('aria-pressed', state.verdicts.has(verdict));
      const shown = shownMounts();
      if (shown.length > 0 && !shown.some(({index}) => index === state.chosen)) state.chosen = shown[0].index;
      drawMounts();
      drawDetail();
      filter();
    });
    return button;
  }));
}

function drawMounts() {
  const items = shownMounts().map(({mount, index}) => {
    const item = el('li');
    const button = el('button');
    button.type = 'button';
    button.setAttribute('aria-current', index === state.chosen);
    button.append(el('span', 'target', mount.target), el('span', `badge ${verdictClass(mount.verdict)}`, mount.verdict),
      el('span', 'why', `${mount.type}: ${mount.reason}`));
    button.addEventListener('click', () => choose(index));
    button.dataset.index = index;
    item.append(button);
    return item;
  });
  $('mounts').replaceChildren(...(items.length > 0 ? items : [el('li', 'empty', 'The subject has no mount to try.')]));
}

function choose(index, focus) {
  state.chosen = index;
  for (const button of $('mounts').querySelectorAll('button'))
    button.setAttribute('aria-current', Number(button.dataset.index) === index);
  const button = $('mounts').querySelector('[aria-current=true]');
  if (focus && button) button.focus();
  drawDetail();
}

function step(by) {
  const shown = shownMounts();
  const at = shown.findIndex(({index}) => index === state.chosen);
  const next = shown[Math.max(0, Math.min(shown.length - 1, at + by))];
  if (next) choose(next.index, true);
}

const writableText = (each) =>
  `${each.path} as ${each.as}${each.reason ? `: ${each.reason}` : ''}${each.make ? ' (the directory has to be made first)' : ''}`;

function notes(title, texts) {
  if (texts.length === 0) return [];
  const list = el('ul', 'notes');
  list.append(...texts.map((text) => el('li', '', text)));
  return [el('h3', '', title), list];
}

function drawDetail() {
  const mount = state.result.mounts[state.chosen];
  if (!mount) return $('detail').replaceChildren();
  const facts = [mount.type, mount.source && `from ${mount.source}`, mount.declared && `declared at ${mount.declared}`,
    mount.runs.length > 0 && `settled by run ${mount.runs.join(', ')}`].filter(Boolean).join(' · ');
  const rows = state.result.rows.filter((row) => row.mount === state.chosen);
  const parts = [el('h3', 'name', mount.target), el('p', 'facts', facts)];
  const reason = el('p', 'reason');
  reason.append(el('span', `badge ${verdictClass(mount.verdict)}`, mount.verdict), ` ${mount.reason}`);
  parts.push(reason, ...notes('Stays writable', mount.writable.map(writableText)), ...notes('Slower read-only', mount.costs));
  parts.push(el('h3', '', 'Where it is written'));
  if (rows.length > 0) {
    parts.push(treeOf(rows, mount.target));
    const left = mount.failed + mount.wrote - mount.held;
    if (left > 0) parts.push(el('p', 'empty', `${many(left, 'kind', 'kinds')} more in result.json: this page holds a part.`));
    const button = el('button', '', 'Show them in the list below');
    button.type = 'button';
    button.addEventListener('click', () => {
      $('f-mount').value = state.chosen;
      filter();
      $('attempts-title').scrollIntoView();
      $('search').focus({preventScroll: true});
    });
    const line = el('p', 'empty');
    line.append(button);
    parts.push(line);
  } else {
    parts.push(el('p', 'empty', mount.verdict === 'inconclusive' || mount.verdict === 'ineffective'
      ? 'Nothing was recorded.' : 'Nowhere: nothing was written and no write failed.'));
  }
  $('detail').replaceChildren(...parts);
}
