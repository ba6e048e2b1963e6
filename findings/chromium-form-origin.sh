#!/usr/bin/env bash
# A page with "Referrer-Policy: no-referrer", as hardening guides advise, posts a form to its own server.
# Expected: Origin names that server, so that the server can tell its own forms from those of other sites.
# Seen: "Origin: null", as from a sandboxed or foreign page, while the same page's fetch() names it. With
# "same-origin" the form does too. It is what the Fetch standard says ("append a request Origin header"), and
# bites who checks Origin only once somebody has no script.
set -euo pipefail
version=1.65.1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts "playwright-core@$version"
cat > look.mjs <<'JS'
import { createServer } from 'node:http';
import { chromium } from 'playwright-core';

let policy;
const seen = [];
const server = createServer((request, response) => {
  if (request.method === 'POST') {
    const own = request.headers.origin === `http://${request.headers.host}`;
    seen.push(`${policy} ${request.url.slice(1)}: ${own ? 'own' : request.headers.origin}`);
  }
  response.writeHead(200, { 'content-type': 'text/html', 'referrer-policy': policy });
  response.end('<form method="post" action="/form"><button>send</button></form>');
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const url = `http://127.0.0.1:${server.address().port}/`;
const browser = await chromium.launch({ executablePath: process.argv[2], args: ['--no-sandbox'] });
for (policy of ['no-referrer', 'same-origin']) {
  const page = await browser.newPage();
  await page.goto(url);
  await page.evaluate(() => fetch('/fetch', { method: 'POST' }));
  await page.getByRole('button').click();
  await page.waitForURL('**/form');
  await page.close();
}
await browser.close();
server.close();
console.log(seen.join('\n'));
JS
browser=$(command -v chromium chromium-browser google-chrome | head -n 1)
seen=$(node look.mjs "$browser")
expected='no-referrer fetch: own
no-referrer form: null
same-origin fetch: own
same-origin form: own'
"$browser" --version
echo "$seen"
[ "$seen" = "$expected" ] || { echo "this has changed"; exit 1; }
