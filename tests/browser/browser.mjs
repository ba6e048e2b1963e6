// A browser of this machine, driven by what `setup` has installed.

import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const target = process.env.CARGO_TARGET_DIR ?? fileURLToPath(new URL('../../target', import.meta.url));
const installed = createRequire(join(target, 'browser', 'package.json'));
const { chromium } = installed('playwright-core');

/** The source of axe, to be run in a page. */
export const axePath = installed.resolve('axe-core/axe.min.js');

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

function program() {
  for (const name of NAMES) {
    try {
      return execFileSync('which', [name], { encoding: 'utf8' }).trim();
    } catch {
      // The next one may be there.
    }
  }
  const ofMac = '/Applications/Chromium.app/Contents/MacOS/Chromium';
  return process.platform === 'darwin' ? ofMac : NAMES[0];
}

/** Starts the browser. Its own sandbox does not work for root, as in containers. */
export function launch() {
  const isRoot = process.getuid?.() === 0;
  return chromium.launch({ executablePath: program(), args: isRoot ? ['--no-sandbox'] : [] });
}
