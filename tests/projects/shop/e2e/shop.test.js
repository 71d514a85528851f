// The shop in a browser, as its visitors use it: node --test, with Playwright and Chromium. ROGATE_URL is the shop's address.
const assert = require('node:assert/strict');
const {after, before, test} = require('node:test');
const {chromium} = require('playwright-core');

const shop = process.env.ROGATE_URL;
const patience = 120_000; // ms: on a machine that has more to do, Chromium takes long to begin
let browser, page;

before(async () => {
  browser = await chromium.launch({timeout: patience, executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update']});
  page = await browser.newPage();
  page.setDefaultTimeout(patience);
});
after(() => browser.close());

test('lists what there is', async () => {
  const answer = await page.goto(`${shop}/pictures`);
  assert.equal(answer.status(), 200);
  assert.match(await page.textContent('body'), /Tea & biscuits|The shop/);
});

test('uploads a picture', async () => {
  await page.goto(`${shop}/upload`);
  await page.setInputFiles('input[type=file]', {name: 'cup.png', mimeType: 'image/png', buffer: Buffer.from('0123456789')});
  await page.click('button');
  await page.waitForFunction(() => document.querySelector('output').textContent !== '');
  assert.equal(await page.textContent('output'), 'kept\n');
  await page.goto(`${shop}/pictures`);
  assert.match(await page.textContent('body'), /cup\|10/);
});
