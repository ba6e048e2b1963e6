// The desk: which conversations are open, and what happens in them.

import { api, listen } from './api.js';
import { conversation } from './chat.js';
import { byId } from './dom.js';
import { startPanel } from './faults.js';

const STORED = 'postduif-simulator-customers';
const FIRST = [
  { provider: 'twilio', customer: '+31612345678', name: 'Sanne de Vries' },
  { provider: 'twilio', customer: '+31687654321', name: 'Mehmet Yılmaz' },
];
const MOST_OPENED = 8;

const open = new Map();
let isOnline = false;
const keyOf = ({ provider, customer }) => `${provider} ${customer}`;

function remember() {
  localStorage.setItem(STORED, JSON.stringify([...open.values()].map(({ who }) => who)));
}

function remembered() {
  try {
    const stored = JSON.parse(localStorage.getItem(STORED));
    return Array.isArray(stored) && stored.length ? stored : FIRST;
  } catch {
    return FIRST;
  }
}

/** Puts a conversation on the desk, or finds it there. */
function show(who) {
  const key = keyOf(who);
  if (open.has(key)) return open.get(key);
  const chat = conversation(who, {
    send: (message) => api.post({ provider: who.provider, from: who.customer, name: who.name || undefined, ...message }),
    colleague: (text) => api.colleague({ provider: who.provider, to: who.customer, text }),
    takeOver: (status) => api.takeOver(who.customer, status, status === 'open' ? 'Petra' : undefined),
    close: () => {
      chat.root.remove();
      open.delete(key);
      remember();
    },
  });
  const entry = { who, chat, fresh: new Set() };
  open.set(key, entry);
  byId('columns').append(chat.root);
  remember();
  if (isOnline) fill(entry);
  return entry;
}

/** Reads a conversation. What was heard of meanwhile is newer, and stays. */
async function fill({ who, chat, fresh }) {
  fresh.clear();
  const { entries, chatwoot } = await api.transcript(who.provider, who.customer);
  for (const record of entries) {
    if (!fresh.has(record.seq)) chat.update(record);
  }
  chat.setInCharge(chatwoot?.status);
}

function onEntry(record) {
  if (!record.customer || record.provider === 'llm') return;
  const isMessage = ['send', 'webhook', 'colleague'].includes(record.endpoint);
  const known = open.get(keyOf(record));
  if (known) {
    known.fresh.add(record.seq);
    known.chat.update(record);
  } else if (isMessage && open.size < MOST_OPENED) {
    show({ provider: record.provider, customer: record.customer, name: record.request?.name });
  }
}

function reload() {
  for (const entry of open.values()) {
    entry.chat.clear();
    fill(entry);
  }
}

function online(now) {
  isOnline = now;
  byId('link').textContent = now ? 'live' : 'offline';
  byId('link').classList.toggle('live', now);
}

async function start() {
  const info = await api.info();
  byId('where').textContent = `customers write to ${info.twilio.numbers[0]} · webhooks go to ${info.ingress_url}`;
  const { conversations } = await api.conversations();
  const named = new Map(conversations.map((found) => [keyOf(found), found.name]));
  for (const who of remembered()) show({ ...who, name: who.name || named.get(keyOf(who)) });
  for (const { provider, customer, name } of conversations) {
    if (open.size < MOST_OPENED && provider !== 'llm') show({ provider, customer, name });
  }
  listen({
    onEntry,
    onReload: reload,
    onOnline: () => { online(true); reload(); },
    onOffline: () => online(false),
  });
  startPanel(reload);
}

byId('newcomer').addEventListener('submit', (event) => {
  event.preventDefault();
  const form = event.target;
  byId('newcomer').open = false;
  const { provider, from, name } = Object.fromEntries(new FormData(form));
  const entry = show({ provider, customer: from.trim().replace(/^whatsapp:/, ''), name: name.trim() });
  form.reset();
  entry.chat.root.scrollIntoView({ behavior: 'smooth', inline: 'center', block: 'nearest' });
  entry.chat.focus();
});

byId('open-panel').addEventListener('click', () => {
  const opened = document.body.classList.toggle('panel-open');
  byId('open-panel').setAttribute('aria-expanded', String(opened));
});

start();
