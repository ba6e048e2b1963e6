// Keeps parts of a page fresh, and hears keys. Without it everything works by loading the page again.

const PAUSE_MS = 150;
const AWAY_MS = 30_000;
let timer = 0;

/** Puts what the server rendered anew in place of the parts that are live, unless somebody is at them. */
async function refresh() {
  const answer = await fetch(location.href, { cache: 'no-store' });
  // The session is over: the page that is there now says so.
  if (answer.redirected && !isWriting()) location.reload();
  if (!answer.ok || answer.redirected) return;
  // What is parsed so runs nothing, and what customers wrote is escaped in it.
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
  document.title = fresh.title;
  for (const old of document.querySelectorAll('[data-live]')) {
    const wanted = fresh.getElementById(old.id);
    // What somebody folded open stays so.
    for (const { id } of old.querySelectorAll('details[open]')) fresh.getElementById(id)?.setAttribute('open', '');
    if (!wanted || old.isEqualNode(wanted) || isBusy(old)) continue;
    const at = document.activeElement?.closest('[data-row]')?.id;
    old.replaceWith(wanted);
    if (at) document.getElementById(at)?.focus();
  }
  announce(fresh);
}

/** Whether somebody writes in a part. */
function isBusy(part) {
  const active = document.activeElement;
  return part.contains(active) && /^(INPUT|TEXTAREA|SELECT)$/.test(active.nodeName);
}

/** Whether somebody writes, or has begun an answer: loading the page again would take their words. */
function isWriting() {
  const begun = [...document.querySelectorAll('textarea')].some((one) => one.value !== one.defaultValue);
  return begun || isBusy(document.body);
}

/** Of a list that would move under the reader it is only told how many rows are new. */
function announce(fresh) {
  const place = document.getElementById('news');
  const list = document.querySelector('[data-list]');
  if (!place || !list) return;
  const known = new Set([...list.querySelectorAll('[data-row]')].map((row) => row.id));
  const rows = fresh.querySelectorAll('[data-list] [data-row]');
  const count = [...rows].filter((row) => !known.has(row.id)).length;
  place.hidden = count === 0;
  place.querySelector('b').textContent = String(count);
}

function soon() {
  clearTimeout(timer);
  // The server may be away; the stream of events tells when it is back.
  timer = setTimeout(() => refresh().catch(() => {}), PAUSE_MS);
}

/** Loads the page again in a while, and not while somebody writes. */
function later() {
  setTimeout(() => { if (isWriting()) later(); else location.reload(); }, AWAY_MS);
}

const source = document.body.dataset.events;
if (source) {
  const events = new EventSource(source);
  // The first news comes when the stream is open, also after the server was away.
  events.addEventListener('news', soon);
  events.addEventListener('error', () => {
    // The browser does not try again by itself after a refusal.
    if (events.readyState === EventSource.CLOSED) later();
  });
}

/** The row that has the focus, or the one after it by so many. */
function row(by) {
  const rows = [...document.querySelectorAll('[data-row]')];
  const at = rows.indexOf(document.activeElement?.closest('[data-row]'));
  return by === 0 ? rows[at] : rows[Math.min(Math.max(at + by, 0), rows.length - 1)];
}

/** Does what a key stands for: in the row with the focus, or anywhere on a page without rows. */
function press(key) {
  const place = row(0) ?? (document.querySelector('[data-row]') ? null : document);
  const control = place?.querySelector(`[data-key="${key}"]`);
  if (control?.nodeName === 'TEXTAREA') control.focus();
  else control?.click();
}

const KEYS = {
  j: () => row(1)?.focus(),
  k: () => row(-1)?.focus(),
  Enter: () => row(0)?.querySelector('[data-open]')?.click(),
  '/': () => document.querySelector('[type="search"]')?.focus(),
  '?': () => document.getElementById('help').showModal(),
  t: () => press('t'),
  r: () => press('r'),
  e: () => press('e'),
};

/** What a label is pressed with: a key of a button in the row with the focus. */
function ofRow(key) {
  return row(0)?.querySelector(`button[data-key="${CSS.escape(key)}"]`) && (() => press(key));
}

document.addEventListener('keydown', (event) => {
  const act = KEYS[event.key] ?? ofRow(event.key);
  const isTyping = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.nodeName);
  const isOwn = event.key === 'Enter' && !event.target.hasAttribute?.('data-row');
  if (!act || isTyping || isOwn || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  act();
});

// A list that is worked through from the top.
if (!location.hash) document.querySelector('[data-first] [data-row]')?.focus({ preventScroll: true });

// The newest line is what is looked for.
document.getElementById('lines')?.lastElementChild?.scrollIntoView({ block: 'nearest' });
