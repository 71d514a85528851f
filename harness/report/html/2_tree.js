// The tree of a mount: where it was written in the control run, and where writes failed.
const TREE_CHUNK = 200;

function newNode(name) {
  return {name, children: new Map(), wrote: 0, failed: 0, processes: new Set(), phases: new Set()};
}

function buildTree(rows, target) {
  const root = newNode(target);
  const prefix = target === '/' ? '/' : `${target}/`;
  for (const row of rows) {
    let node = root;
    const below = row.path.startsWith(prefix) ? row.path.slice(prefix.length) : row.path === target ? '' : row.path;
    const names = below === '' ? [] : below.split('/');
    const mark = (each) => {
      each[row.failed ? 'failed' : 'wrote'] += row.count;
      if (each.processes.size < 4) each.processes.add(row.process);
      if (each.phases.size < 4) each.phases.add(row.phase);
    };
    mark(node);
    for (const name of names) {
      if (!node.children.has(name)) node.children.set(name, newNode(name));
      node = node.children.get(name);
      mark(node);
    }
  }
  return root;
}

// Folders with a single entry are one line: conf.d/default.conf.
function squeezed(node) {
  let name = node.name;
  let at = node;
  while (at.children.size === 1) {
    const [only] = at.children.values();
    if (only.wrote !== at.wrote || only.failed !== at.failed) break;
    name += `/${only.name}`;
    at = only;
  }
  return {name, node: at};
}

function treeItem(node, level, root) {
  const line = root ? {name: node.name, node} : squeezed(node);
  const item = el('li');
  item.setAttribute('role', 'treeitem');
  item.setAttribute('aria-level', level);
  item.tabIndex = -1;
  const body = el('div', 'node');
  body.append(el('span', 'label', line.name + (line.node.children.size > 0 && line.name !== '/' ? '/' : '')));
  if (node.wrote > 0) body.append(el('span', 'n-w', `${node.wrote.toLocaleString('en')} written`));
  if (node.failed > 0) body.append(el('span', 'n-f', `${node.failed.toLocaleString('en')} failed`));
  body.append(el('span', 'by', `by ${[...node.processes].join(', ')} in ${[...node.phases].join(', ')}`));
  item.append(body);
  item.setAttribute('aria-label', body.textContent.replace(/(written|failed)/g, ' $1 '));
  if (line.node.children.size > 0) {
    item.setAttribute('aria-expanded', 'false');
    item.open = () => openItem(item, line.node, level);
  }
  return item;
}

function openItem(item, node, level) {
  if (!item.list) {
    item.list = el('ul');
    item.list.setAttribute('role', 'group');
    item.append(item.list);
    const entries = [...node.children.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    appendChunk(item.list, entries, 0, level + 1);
  }
  item.list.hidden = false;
  item.setAttribute('aria-expanded', 'true');
}

function appendChunk(list, entries, from, level) {
  const to = Math.min(entries.length, from + TREE_CHUNK);
  for (let i = from; i < to; ++i) list.append(treeItem(entries[i], level, false));
  if (to === entries.length) return;
  const more = el('li');
  more.setAttribute('role', 'treeitem');
  more.setAttribute('aria-level', level);
  more.tabIndex = -1;
  more.append(el('div', 'node', `${(entries.length - to).toLocaleString('en')} more…`));
  more.act = () => {
    more.remove();
    appendChunk(list, entries, to, level);
    focusItem(list.children[to]);
  };
  list.append(more);
}

function closeItem(item) {
  item.list.hidden = true;
  item.setAttribute('aria-expanded', 'false');
}

function toggleItem(item) {
  if (item.act) return item.act();
  if (item.getAttribute('aria-expanded') === 'true') closeItem(item);
  else if (item.open) item.open();
}

function focusItem(item) {
  if (!item) return;
  const tree = item.closest('.tree');
  for (const each of tree.querySelectorAll('[tabindex="0"]')) each.tabIndex = -1;
  item.tabIndex = 0;
  item.focus();
}

function treeKey(event) {
  const item = event.target.closest('[role=treeitem]');
  if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
  const shown = [...event.currentTarget.querySelectorAll('[role=treeitem]')].filter((each) => each.offsetParent);
  const at = shown.indexOf(item);
  const expanded = item.getAttribute('aria-expanded');
  const moves = {
    ArrowDown: () => focusItem(shown[at + 1]),
    ArrowUp: () => focusItem(shown[at - 1]),
    Home: () => focusItem(shown[0]),
    End: () => focusItem(shown[shown.length - 1]),
    ArrowRight: () => (expanded === 'false' ? item.open() : expanded === 'true' && focusItem(shown[at + 1])),
    ArrowLeft: () => (expanded === 'true' ? closeItem(item) : focusItem(item.parentElement.closest('[role=treeitem]'))),
    Enter: () => toggleItem(item),
    ' ': () => toggleItem(item),
  };
  if (!moves[event.key]) return;
  event.preventDefault();
  moves[event.key]();
}

function treeOf(rows, target) {
  const box = el('div', 'tree');
  const list = el('ul');
  list.setAttribute('role', 'tree');
  list.setAttribute('aria-label', `Where ${target} is written`);
  const root = treeItem(buildTree(rows, target), 1, true);
  root.tabIndex = 0;
  list.append(root);
  box.append(list);
  // Open what is there to see at once, as long as it is little.
  for (let open = [root], lines = 1; open.length > 0;) {
    const item = open.shift();
    if (!item.open || (lines += item.childCount ?? 1) > 40) continue;
    item.open();
    lines += item.list.children.length;
    if (lines <= 40) open.push(...item.list.children);
  }
  box.addEventListener('keydown', treeKey);
  box.addEventListener('click', (event) => {
    const item = event.target.closest('[role=treeitem]');
    if (!item) return;
    focusItem(item);
    toggleItem(item);
  });
  return box;
}
