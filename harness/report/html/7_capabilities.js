// What the capabilities are needed for, where that was asked.
function capabilityRow({name, verdict, reason, checks}) {
  const row = el('tr');
  const cell = el('td');
  cell.append(el('span', `badge ${CAPABILITY_COLOURS[verdict]}`, verdict));
  const why = el('td', '', reason);
  why.append(...notes('Checks', checks));
  row.append(cell, el('th', '', name), why);
  row.children[1].scope = 'row';
  return row;
}

function drawCapabilities() {
  const {capabilities} = state.result;
  $('capabilities').hidden = capabilities.length === 0;
  const table = el('table', 'plain');
  table.append(...capabilities.map(capabilityRow));
  $('capability-list').replaceChildren(table);
}
