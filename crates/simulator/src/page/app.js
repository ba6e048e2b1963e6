// Keeps the page fresh: what the server rendered anew is laid over what is there, so that focus, scroll
// position and half-written messages stay. Without this script everything works by loading the page again.

const PAUSE_MS = 120;
const OWN = new Set(['TEXTAREA', 'INPUT', 'SELECT']);

/** Makes `old` like `fresh`, and keeps every element of it that can stay. */
function lay(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeName !== fresh.nodeName || (old.id ?? '') !== (fresh.id ?? '')) {
    old.replaceWith(fresh);
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    old.nodeValue = fresh.nodeValue;
    return;
  }
  if (OWN.has(old.nodeName) || old.hasAttribute('data-own')) return;
  for (const { name } of [...old.attributes]) {
    if (name !== 'open' && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  layChildren(old, fresh);
}

/** Children with an id are found again by it, the others by their place. */
function layChildren(old, fresh) {
  const known = new Map();
  for (const child of old.children) if (child.id) known.set(child.id, child);
  let at = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const same = wanted.id ? known.get(wanted.id) : at && !at.id && at;
    if (!same) {
      old.insertBefore(wanted, at);
      continue;
    }
    if (same === at) at = at.nextSibling;
    else old.insertBefore(same, at);
    lay(same, wanted);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

let timer = 0;
let isAsking = false;

/** Asks for the page as it stands, soon, and once for much that happens together. */
function refresh() {
  if (timer || isAsking) {
    isAsking = isAsking && 'again';
    return;
  }
  timer = setTimeout(async () => {
    timer = 0;
    isAsking = true;
    try {
      const answer = await fetch(location.href, { cache: 'no-store' });
      // What is parsed so runs nothing, and what customers wrote is escaped in it.
      if (answer.ok) lay(document.body, new DOMParser().parseFromString(await answer.text(), 'text/html').body);
    } catch {
      // The server is away; the stream of events tells when it is back.
    }
    const again = isAsking === 'again';
    isAsking = false;
    if (again) refresh();
  }, PAUSE_MS);
}

function tell(problem) {
  const place = document.getElementById('problem');
  place.textContent = problem;
  place.hidden = !problem;
}

async function submit(form, button) {
  tell('');
  const fields = new URLSearchParams(new FormData(form, button));
  if (form.hasAttribute('data-clear')) form.reset();
  try {
    const answer = await fetch(form.getAttribute('action'), { method: 'POST', body: fields, redirect: 'manual' });
    if (answer.type !== 'opaqueredirect') tell(await answer.text());
  } catch {
    tell('The simulator does not answer.');
  }
  refresh();
}

document.addEventListener('submit', (event) => {
  event.preventDefault();
  event.target.closest('details.newcomer')?.removeAttribute('open');
  submit(event.target, event.submitter);
});

document.addEventListener('keydown', (event) => {
  const isLine = event.target.nodeName === 'TEXTAREA' && event.key === 'Enter';
  if (!isLine || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  event.target.form.requestSubmit(event.target.form.querySelector('.send'));
});

document.addEventListener('click', (event) => {
  const link = event.target.closest('a[data-live]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  history.pushState(null, '', link.getAttribute('href'));
  refresh();
});

addEventListener('popstate', refresh);

const events = new EventSource('/simulator/events');
for (const kind of ['open', 'entry', 'reload']) events.addEventListener(kind, refresh);
// The typing sign goes, and what came to nothing is lost, without an event.
setInterval(() => { if (!document.hidden) refresh(); }, 5000);
