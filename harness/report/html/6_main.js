// Wires the page: which result, theme, keys.
const THEMES = ['auto', 'light', 'dark'];
let theme = 'auto';
function setTheme(next) {
  theme = THEMES.includes(next) ? next : 'auto';
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  $('theme').textContent = `Theme: ${theme}`;
  // A page opened from a file may not be allowed to remember.
  try { localStorage.setItem('rogate-theme', theme); } catch { /* not remembered */ }
}
const nextTheme = () => setTheme(THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]);

function draw() {
  const {result} = state;
  $('scenario').textContent = result.scenario;
  $('headline').textContent = result.headline;
  $('meta').textContent = [result.image, result.engine, `kernel ${result.kernel}`, `observer ${result.observer}`,
    `${many(result.runs.length, 'run', 'runs')} in ${seconds(result.s)}`, result.started].join(' · ');
  drawVerdicts();
  drawMounts();
  drawDetail();
  drawCapabilities();
  drawChange();
  drawRuns();
  fillFilters();
  filter();
}

function pick(index) {
  state.result = data.results[index];
  state.chosen = 0;
  state.verdicts = new Set();
  $('filters').reset();
  draw();
}

function clearFilters() {
  $('filters').reset();
  state.verdicts.clear();
  drawVerdicts();
  drawMounts();
  filter();
}

const keys = {
  '/': () => { $('search').focus(); $('search').select(); },
  j: () => step(1),
  k: () => step(-1),
  c: () => copy(flagsText(), 'docker run flags'),
  t: nextTheme,
  '?': () => $('help').showModal(),
  Escape: clearFilters,
};
document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || $('help').open) return;
  const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
  if ((typing && event.key !== 'Escape') || !keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});

let waiting;
$('search').addEventListener('input', () => { clearTimeout(waiting); waiting = setTimeout(filter, 60); });
$('filters').addEventListener('submit', (event) => event.preventDefault());
$('filters').addEventListener('change', filter);
$('filters').addEventListener('reset', () => setTimeout(filter));
$('scroll').addEventListener('scroll', drawRows, {passive: true});
$('theme').addEventListener('click', nextTheme);
$('help-open').addEventListener('click', () => $('help').showModal());
window.addEventListener('beforeprint', drawPrinted);
matchMedia('print').addEventListener('change', (event) => event.matches && drawPrinted());
if (data.results.length > 1) {
  $('pick').hidden = false;
  data.results.forEach((result, index) => $('result').append(new Option(result.scenario, index)));
  $('result').addEventListener('change', () => pick(Number($('result').value)));
}
try { setTheme(localStorage.getItem('rogate-theme') ?? 'auto'); } catch { setTheme('auto'); }
if (data.results.length > 0) draw();
