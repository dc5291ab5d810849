// A real Chromium on a real host: shared by the browser tests. Results go to stdout, one JSON object a line.
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { chromium } from 'playwright-core';

const QUIET = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A setting that the test must give. */
export function setting(name) {
  const value = process.env[name];
  if (!value) {
    throw new Error(`set ${name} in the environment`);
  }
  return value;
}

/** Checks the host's certificate against its own CA and returns the pin of its key, for the browser to trust just this. */
async function pinOf(url, caFile) {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const ca = await readFile(caFile);
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port || 443), ca, ...(isIP(host) ? {} : { servername: host }) });
    socket.setTimeout(10_000, () => socket.destroy(new Error('the host did not finish the TLS handshake')));
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      const key = socket.getPeerX509Certificate().publicKey.export({ type: 'spki', format: 'der' });
      socket.destroy();
      resolve(createHash('sha256').update(key).digest('base64'));
    });
  });
}

/** Runs `task(page, step)` in a new browser profile; `step(name)` reports progress. The exit code tells success. */
export async function inBrowser(task) {
  const started = performance.now();
  let last = 'start';
  const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
  const profile = await mkdtemp(join(tmpdir(), 'keelson-browser-'));
  let context;
  let page;
  const shot = async (name) => {
    const folder = process.env.E2E_SCREENSHOTS;
    return folder && page ? page.screenshot({ path: join(folder, `${name}.png`), fullPage: true }) : undefined;
  };
  const step = async (name) => {
    last = name;
    await shot(name);
    say({ step: name, ms: Math.round(performance.now() - started) });
  };
  try {
    const pin = await pinOf(setting('E2E_URL'), setting('E2E_CA_FILE'));
    context = await chromium.launchPersistentContext(profile, {
      executablePath: process.env.E2E_CHROMIUM || '/usr/bin/chromium',
      args: [...QUIET, `--ignore-certificate-errors-spki-list=${pin}`],
      viewport: { width: 1360, height: 800 },
    });
    context.setDefaultTimeout(Number(process.env.E2E_TIMEOUT_SECONDS || 60) * 1000);
    page = context.pages()[0] ?? (await context.newPage());
    const problems = watch(page);
    await task(page, step);
    if (problems.length > 0) {
      throw new Error(problems.join('; '));
    }
    say({ step: 'done', ms: Math.round(performance.now() - started) });
  } catch (error) {
    process.exitCode = 1;
    await shot('failed').catch(() => undefined);
    say({ step: 'failed', after: last, message: String(error?.message ?? error) });
  } finally {
    await context?.close();
    await rm(profile, { recursive: true, force: true });
  }
}

/** What the page must never do, whatever the test is about. */
function watch(page) {
  const problems = [];
  page.on('pageerror', (error) => problems.push(`script error: ${error.message}`));
  page.on('console', (message) => {
    if (/content security policy/i.test(message.text())) {
      problems.push(message.text());
    }
  });
  page.on('request', (request) => {
    const { protocol, host } = new URL(request.url());
    if (protocol.startsWith('http') && host !== new URL(setting('E2E_URL')).host) {
      problems.push(`request to another host: ${request.url()}`);
    }
  });
  return problems;
}
