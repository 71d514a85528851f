// A page in Chromium, what it did, and a rogate that renders it.
import {execFileSync} from 'node:child_process';
import {existsSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {chromium} from 'playwright-core';

const rogate = process.env.ROGATE ?? new URL('../../build/dev/rogate', import.meta.url).pathname;
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
if (!existsSync(executablePath)) throw new Error(`${executablePath} is missing; ci/test.sh installs it (Debian's chromium)`);

const folder = mkdtempSync(join(tmpdir(), 'rogate-browser-'));
let browser;

export async function start() {
  browser = await chromium.launch({executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync']});
}
export async function stop() {
  await browser.close();
  rmSync(folder, {recursive: true});
}

export function render(...results) {
  const files = results.map((result, index) => {
    const file = join(folder, `result-${index}.json`);
    writeFileSync(file, JSON.stringify(result));
    return file;
  });
  const page = join(folder, `page-${Math.random()}.html`);
  execFileSync(rogate, ['report', ...files, '-f', 'html', '-o', page]);
  return page;
}

// `seen`: what a report must never do.
export async function open(file, options = {}) {
  const context = await browser.newContext({viewport: {width: 1280, height: 900}, permissions: ['clipboard-read', 'clipboard-write'], ...options});
  const page = await context.newPage();
  const seen = [];
  page.on('console', (message) => seen.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => seen.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => { seen.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on('request', (request) => { if (request.url() !== pathToFileURL(file).href) seen.push(`request: ${request.url()}`); });
  await page.goto(pathToFileURL(file).href);
  return {page, seen, close: () => context.close()};
}
