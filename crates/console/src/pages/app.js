// Keeps parts of a page fresh, and hears keys. Without it everything works by loading the page again.

const PAUSE_MS = 150;
let timer = 0;

/** Puts what the server rendered anew in place of the parts that are live, unless somebody is at them. */
async function refresh() {
  const answer = await fetch(location.href, { cache: 'no-store' });
  if (!answer.ok || answer.redirected) return;
  // What is parsed so runs nothing, and what customers wrote is escaped in it.
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
  document.title = fresh.title;
  for (const old of document.querySelectorAll('[data-live]')) {
    const wanted = fresh.getElementById(old.id);
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

const source = document.body.dataset.events;
if (source) {
  const events = new EventSource(source);
  let wasAway = false;
  events.addEventListener('news', soon);
  events.addEventListener('error', () => { wasAway = true; });
  events.addEventListener('open', () => { if (wasAway) soon(); wasAway = false; });
}

/** The row that has the focus, or the one after it by so many. */
function row(by) {
  const rows = [...document.querySelectorAll('[data-row]')];
  const at = rows.indexOf(document.activeElement?.closest('[data-row]'));
  return by === 0 ? rows[at] : rows[Math.min(Math.max(at + by, 0), rows.length - 1)];
}

/** Does what a key stands for, in the row with the focus first. */
function press(key) {
  const wanted = `[data-key="${key}"]`;
  const control = row(0)?.querySelector(wanted) ?? (row(0) ? null : document.querySelector(wanted));
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

document.addEventListener('keydown', (event) => {
  const act = KEYS[event.key];
  const isTyping = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.nodeName);
  const isOwn = event.key === 'Enter' && !event.target.hasAttribute?.('data-row');
  if (!act || isTyping || isOwn || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  act();
});

// The newest line is what is looked for.
document.getElementById('lines')?.lastElementChild?.scrollIntoView({ block: 'nearest' });
