// The HTML report as its readers use it.
import assert from 'node:assert/strict';
import {readFileSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {after, before, test} from 'node:test';
import {open, render, start, stop} from './page.mjs';
import {hostile, hostileTexts, large, ordinary} from './results.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
before(start);
after(stop);

function browserTest(name, file, options, run) {
  test(name, async () => {
    const opened = await open(file(), options);
    try {
      await run(opened.page);
      assert.deepEqual(opened.seen, []);
    } finally {
      await opened.close();
    }
  });
}

const pages = new Map();
const made = (name, result) => () => {
  if (!pages.has(name)) pages.set(name, render(result()));
  return pages.get(name);
};
const shop = made('shop', ordinary);
// The page's policy refuses what Playwright's own waiting would evaluate in it.
async function until(page, condition) {
  for (let i = 0; i < 2400; ++i) {
    if (await page.evaluate(condition)) return;
    await page.waitForTimeout(25);
  }
  assert.fail(`never came true: ${condition}`);
}
const count = (page) => page.locator('#count').textContent();
const chosen = (page) => page.locator('#mounts [aria-current=true] .target').textContent();

browserTest('shows each mount with its verdict and reason', shop, {}, async (page) => {
  for (const mount of ordinary().mounts) {
    const button = page.locator('#mounts button', {has: page.getByText(mount.target, {exact: true})});
    assert.equal(await button.locator('.badge').textContent(), mount.verdict);
    assert.equal(await button.locator('.why').textContent(), `${mount.type}: ${mount.reason}`);
  }
  assert.equal(await page.title(), 'rogate: shop');
  assert.equal(await page.locator('#headline').textContent(), '4 of 8 mounts can be read-only, 1 inconclusive');
});

browserTest('shows where a mount is written, by whom and in which phase', shop, {}, async (page) => {
  const tree = page.getByRole('tree');
  const item = tree.getByRole('treeitem', {name: /^1\.png/});
  assert.match(await item.textContent(), /1 written.*3 failed.*by php-fpm in step upload/);
  assert.match(await tree.getByRole('treeitem', {name: /^list\.db-wal/}).textContent(), /1 written.*by app in entrypoint/);
  assert.match(await tree.getByRole('treeitem', {name: /^\/data/}).first().textContent(), /5 written.*4 failed/);
});

browserTest('shows runs, phases and when writes were made', shop, {}, async (page) => {
  assert.equal(await page.locator('#runs > li').count(), 4);
  const failed = page.locator('#runs > li').nth(2);
  assert.equal(await failed.locator('.phases li.bad').count(), 1);
  assert.match(await failed.textContent(), /step upload: expected status 201/);
  await failed.locator('summary').click();
  assert.match(await failed.locator('pre').textContent(), /^starting\nerror: open/);
  // One of the attempts of run 3 was made a third of the way through its second phase.
  const marks = await page.locator('#runs > li').nth(2).locator('.marks i').count();
  assert.equal(marks, 2);
  const widths = await page.locator('#runs > li').nth(0).locator('.phases li').evaluateAll((all) => all.map((each) => each.offsetWidth));
  assert.ok(widths[3] > widths[1] && widths[1] > widths[2] && widths[2] > widths[4], `wide as they are long: ${widths}`);
});

browserTest('filters and searches', shop, {}, async (page) => {
  assert.equal(await count(page), '10 kinds of 10');
  await page.locator('#search').fill('php UPLOADS');
  await until(page, () => document.getElementById('count').textContent.startsWith('5 '));
  await page.locator('#f-outcome').selectOption('1');
  assert.equal(await count(page), '2 kinds of 10');
  await page.locator('#f-class').selectOption('access-check');
  assert.equal(await count(page), '1 kind of 10');
  assert.match(await page.locator('#spacer').textContent(), /access \(access-check\)\/data\/uploads/);
  await page.locator('#clear').click();
  await until(page, () => document.getElementById('count').textContent.startsWith('10 '));
  await page.locator('#verdicts button', {hasText: 'split'}).click();
  assert.equal(await page.locator('#mounts li').count(), 1);
  assert.equal(await chosen(page), '/srv/app');
  assert.equal(await count(page), '1 kind of 10');
});

browserTest('works from the keyboard alone', shop, {}, async (page) => {
  await page.keyboard.press('Tab');
  assert.equal(await page.locator(':focus').textContent(), 'Skip to the mounts');
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  assert.equal(await chosen(page), '/srv/app');
  await page.keyboard.press('k');
  assert.equal(await chosen(page), '/etc/shop');
  await page.keyboard.press('k');
  await page.locator('[role=treeitem][tabindex="0"]').focus();
  await page.keyboard.press('ArrowDown');
  assert.match(await page.locator(':focus').getAttribute('aria-label'), /^index\//);
  await page.keyboard.press('ArrowLeft');
  assert.equal(await page.locator(':focus').getAttribute('aria-expanded'), 'false');
  await page.keyboard.press('ArrowDown');
  assert.match(await page.locator(':focus').getAttribute('aria-label'), /^uploads\//);
  await page.keyboard.press('/');
  assert.equal(await page.locator(':focus').getAttribute('id'), 'search');
  await page.keyboard.type('jkc?');
  assert.equal(await page.locator('#search').inputValue(), 'jkc?');
  await until(page, () => document.getElementById('count').textContent.startsWith('0 '));
  await page.keyboard.press('Escape');
  await until(page, () => document.getElementById('count').textContent.startsWith('10 '));
  await page.locator('#scroll').focus();
  await page.keyboard.press('?');
  assert.ok(await page.locator('#help').isVisible());
  await page.keyboard.press('Escape');
  assert.ok(!(await page.locator('#help').isVisible()));
});

browserTest('copies the recommended change', shop, {}, async (page) => {
  const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
  await page.getByRole('button', {name: 'Copy the read-only mounts'}).click();
  assert.equal(await clipboard(), '/etc/shop\n/srv/app\n/usr/share/shop');
  assert.equal(await page.locator('#said').textContent(), 'Copied the read-only mounts');
  await page.getByRole('button', {name: 'Copy the writable paths'}).click();
  assert.equal(await clipboard(), '/srv/app/run  tmpfs (uid=33,gid=33,mode=0755)');
  await page.keyboard.press('c');
  assert.match(await clipboard(), /^--mount type=bind,source=\/srv\/etc\/shop,target=\/etc\/shop,readonly \\\n.*--tmpfs \/srv\/app\/run:uid=33,gid=33,mode=0755$/s);
});

const background = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
browserTest('is dark where the reader likes it dark, or chooses it', shop, {colorScheme: 'dark'}, async (page) => {
  const dark = await background(page);
  await page.keyboard.press('t');
  assert.equal(await page.locator('#theme').textContent(), 'Theme: light');
  const light = await background(page);
  assert.notEqual(light, dark);
  await page.keyboard.press('t');
  assert.equal(await background(page), dark);
  await page.reload();
  assert.equal(await page.locator('#theme').textContent(), 'Theme: dark');
  await page.emulateMedia({media: 'print'});
  assert.equal(await background(page), 'rgb(255, 255, 255)');
});

browserTest('prints the attempts, which are a list to scroll on the screen', shop, {}, async (page) => {
  await page.emulateMedia({media: 'print'});
  await until(page, () => document.querySelectorAll('#printed tr').length === 11);
  assert.ok(!(await page.locator('#filters').isVisible()));
});

for (const colorScheme of ['light', 'dark']) {
  browserTest(`is accessible (axe-core), ${colorScheme}`, shop, {colorScheme, bypassCSP: true}, async (page) => {
    await page.addScriptTag({content: axe});
    for (const key of ['', '?']) {
      if (key) await page.keyboard.press(key);
      const {violations} = await page.evaluate(() => window.axe.run());
      assert.deepEqual(violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.html.slice(0, 120)).join(' | ')}`), []);
    }
  });
}

browserTest('fits a narrow screen', shop, {viewport: {width: 360, height: 700}}, async (page) => {
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
});

browserTest('100,000 attempts load and filter, and only what is in view is drawn', made('large', () => large(100_000)), {}, async (page) => {
  assert.equal(await count(page), '100,000 kinds of 100,000');
  const drawn = await page.evaluate(() => document.querySelectorAll('*').length);
  assert.ok(drawn < 3000, `${drawn} elements`);
  await page.evaluate(() => {
    const search = document.getElementById('search');
    search.value = 'file-99999';
    search.dispatchEvent(new Event('input'));
  });
  await until(page, () => document.getElementById('count').textContent.startsWith('1 '));
  await page.keyboard.press('Escape');
  await until(page, () => document.getElementById('count').textContent.startsWith('100,000'));
  await page.locator('#scroll').evaluate((box) => { box.scrollTop = box.scrollHeight; });
  await until(page, () => document.getElementById('spacer').textContent.includes('file-99999.tmp'));
});

// As render_html() cuts a result that is too large: fewer rows than the mount's own count.
const part = () => {
  const file = render(ordinary());
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace('"failed":2,', '"failed":1002,'));
  return file;
};
browserTest('says what a page does not hold', part, {}, async (page) => {
  assert.equal(await count(page), '10 kinds of 10; 1,000 more are in result.json: this page holds a part');
  assert.match(await page.locator('#detail').textContent(), /1,000 kinds more in result\.json/);
});

browserTest('hostile texts are text', made('hostile', hostile), {}, async (page) => {
  await page.waitForTimeout(200);
  for (let i = 0; i < hostileTexts.length; ++i) {
    await page.keyboard.press('j');
    for (const item of await page.locator('[role=treeitem]').all()) await item.evaluate((each) => each.open?.());
  }
  await page.evaluate(() => window.dispatchEvent(new Event('beforeprint')));
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  assert.equal(await page.locator('script').count(), 1);
  assert.equal(await page.locator('img, svg, iframe, a[href]:not(.skip)').count(), 0);
  assert.equal(await page.locator('#scenario').textContent(), hostileTexts[0]);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 1280);
});

test('a policy keeps out scripts and requests that got into a page all the same', async () => {
  const {page, seen, close} = await open(shop());
  await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'window.hacked = 1';
    document.body.append(script);
    const image = document.createElement('img');
    image.src = 'http://192.0.2.1/x.png';
    document.body.append(image);
  });
  await page.waitForTimeout(200);
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  assert.equal(seen.filter((each) => each.includes('Content Security Policy')).length, 2);
  await close();
});

test('several results are one page with a choice', async () => {
  const {page, seen, close} = await open(render(ordinary(), {...ordinary(), scenario: 'other', mounts: []}));
  await page.locator('#result').selectOption('1');
  assert.equal(await page.locator('#scenario').textContent(), 'other');
  assert.match(await page.locator('#mounts').textContent(), /no mount to try/);
  assert.deepEqual(seen, []);
  await close();
});
