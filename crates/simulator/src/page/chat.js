// One conversation: the customer's phone, with everything that came and went.

import { clock, element } from './dom.js';

const SAMPLES = [
  'Ik zoek een Volkswagen Golf',
  'Hebben jullie een Kia Picanto tot 9.000 euro?',
  'Kan ik zaterdag een proefrit maken in de Peugeot 208?',
  'Wat krijg ik nog voor mijn Opel Corsa uit 2015 met 120.000 km?',
  'Zijn jullie zondag open?',
  'Mijn auto staat alweer stil, dit is al de derde keer!',
  'Kan ik iemand spreken?',
  'Bedankt, tot zaterdag 👋',
];
const NAMES = { twilio: 'Twilio', waha: 'WAHA', chatwoot: 'Chatwoot', llm: 'Model' };
// What Chatwoot makes of a conversation by itself when the customer writes.
const REOPENED = { resolved: 'pending', snoozed: 'open' };
// WhatsApp takes the typing sign away after this time.
const TYPING_MS = 25_000;

/**
 * A conversation of `who` ({provider, customer, name}). `send(message)` posts what is typed,
 * `colleague(text)` sends it past the services instead, `takeOver(status)` is for Chatwoot, `close()`
 * takes the conversation off the desk.
 */
export function conversation(who, { send, colleague, takeOver, close }) {
  const shown = new Map();
  let typingUntil = 0;
  const list = element('ol', { class: 'messages', 'aria-live': 'polite' });
  const typing = element('p', { class: 'typing', text: 'is typing…', hidden: true });
  const input = element('textarea', {
    rows: 1, placeholder: 'Type a message', 'aria-label': `Message of ${who.name || who.customer}`,
  });
  const problem = element('p', { class: 'problem', role: 'alert', hidden: true });

  async function attempt(action) {
    problem.hidden = true;
    try {
      await action();
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    }
  }

  const post = (message) => attempt(() => send(message));

  function typed() {
    const text = input.value;
    if (!text.trim()) return null;
    input.value = '';
    fit();
    return text;
  }

  function submit(event) {
    event?.preventDefault();
    const text = typed();
    if (text) post({ text });
  }

  function interject() {
    const text = typed();
    if (!text) return;
    attempt(async () => {
      await colleague(text);
      // Chatwoot leaves the conversation pending, but the bot is silent until it is given back.
      setInCharge('open');
    });
  }

  function fit() {
    input.rows = Math.min(6, Math.max(1, input.value.split('\n').length));
  }

  input.addEventListener('input', fit);
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) submit(event);
  });

  // Until Chatwoot has changed it the choice says what was before.
  let status = 'pending';
  const inCharge = who.provider === 'chatwoot' ? whoAnswers(hand) : null;

  async function hand(wanted) {
    inCharge.value = status;
    await attempt(async () => {
      await takeOver(wanted);
      setInCharge(wanted);
    });
  }

  function setInCharge(now) {
    if (!inCharge || !now) return;
    status = now;
    inCharge.value = now;
  }

  const root = element('article', { class: `phone ${who.provider}` }, [
    header(who, inCharge, close),
    list,
    typing,
    samples(post),
    problem,
    element('form', { class: 'composer', onsubmit: submit }, [
      input,
      element('button', {
        type: 'button', class: 'plain', 'aria-label': 'Send as a colleague',
        title: 'Send as a colleague, past the bot', text: '🧑', onclick: interject,
      }),
      element('button', { type: 'submit', 'aria-label': 'Send', text: '➤' }),
    ]),
  ]);

  function noteTyping(record) {
    if (record.endpoint === 'typing' && record.accepted) {
      typingUntil = record.text === 'stop' ? 0 : Date.parse(record.at) + TYPING_MS;
    } else if (record.endpoint === 'send') {
      typingUntil = 0;
    }
    const left = typingUntil - Date.now();
    typing.hidden = left <= 0;
    if (left > 0) setTimeout(() => { typing.hidden = typingUntil <= Date.now(); }, left);
  }

  return {
    root,
    /** Shows an entry, or what became of it. */
    update(record) {
      const isNew = !shown.has(record.seq);
      if (isNew) noteTyping(record);
      if (isNew && record.endpoint === 'status' && record.accepted) setInCharge(record.text);
      if (isNew && record.endpoint === 'webhook') setInCharge(REOPENED[status]);
      const line = lineOf(record);
      if (!line) return;
      const following = list.scrollTop + list.clientHeight >= list.scrollHeight - 40;
      if (isNew) insert(list, shown, record.seq, line);
      else shown.get(record.seq).replaceWith(line);
      shown.set(record.seq, line);
      if (following || (isNew && record.endpoint === 'webhook')) list.scrollTop = list.scrollHeight;
    },
    clear() {
      shown.clear();
      list.replaceChildren();
      typing.hidden = true;
    },
    /** Shows the status of a Chatwoot conversation. */
    setInCharge,
    focus: () => input.focus(),
  };
}

function insert(list, shown, seq, line) {
  line.dataset.seq = seq;
  const after = [...list.children].find((child) => Number(child.dataset.seq) > seq);
  list.insertBefore(line, after ?? null);
}

/** Chatwoot only: bot or human. */
function whoAnswers(hand) {
  const choice = element('select', { 'aria-label': 'Who answers', title: 'Who answers' }, [
    element('option', { value: 'pending', text: 'bot' }),
    element('option', { value: 'open', text: 'human' }),
    element('option', { value: 'resolved', text: 'resolved' }),
    element('option', { value: 'snoozed', text: 'snoozed' }),
  ]);
  choice.addEventListener('change', () => hand(choice.value));
  return choice;
}

function header(who, inCharge, close) {
  const name = who.name || who.customer;
  const buttons = inCharge ? [inCharge] : [];
  buttons.push(element('button', {
    type: 'button', class: 'plain close', 'aria-label': `Close ${name}`, text: '×', onclick: close,
  }));
  return element('header', {}, [
    element('span', { class: 'face', 'aria-hidden': 'true', text: initials(name) }),
    element('div', { class: 'name' }, [
      element('strong', { dir: 'auto', text: name }),
      element('small', { text: `${who.customer} · ${NAMES[who.provider]}` }),
    ]),
    ...buttons,
  ]);
}

function initials(name) {
  const words = name.replace(/^\+/, '').split(/\s+/).filter(Boolean);
  return words.slice(0, 2).map((word) => [...word][0]).join('').toUpperCase();
}

function samples(post) {
  const chips = SAMPLES.map((text) =>
    element('button', { type: 'button', text, onclick: () => post({ text }) }));
  chips.push(
    element('button', {
      type: 'button', text: '📍 Location',
      onclick: () => post({
        location: { latitude: 52.3731, longitude: 4.8926, label: 'De Dam', address: 'Dam, Amsterdam' },
      }),
    }),
    element('button', {
      type: 'button', text: '📷 Photo',
      onclick: () => post({
        text: 'Dit is mijn auto', media: [{ content_type: 'image/jpeg', filename: 'auto.jpg' }],
      }),
    }),
  );
  return element('div', { class: 'samples', 'aria-label': 'Sample messages' }, chips);
}

/** How an entry looks, `null` for what a customer would not see. */
function lineOf(record) {
  if (record.endpoint === 'webhook') return bubble(record, 'mine', inboundFoot(record));
  if (record.endpoint === 'send' && record.accepted) {
    return bubble(record, 'theirs', outboundFoot(record));
  }
  if (record.endpoint === 'colleague') {
    const by = element('span', { text: 'colleague' });
    return bubble(record, 'theirs', [by, ...outboundFoot(record)]);
  }
  if (record.endpoint === 'send') {
    const fault = record.fault ? ` (${record.fault})` : '';
    return notice(`${NAMES[record.provider]} refused a reply: ${record.refused}${fault}`);
  }
  if (record.endpoint === 'status') return notice(`conversation set to ${record.text}`);
  return null;
}

function bubble(record, side, foot) {
  const parts = [...extras(record.request)];
  if (record.text) parts.push(element('p', { dir: 'auto', text: record.text }));
  parts.push(element('footer', {}, foot));
  return element('li', { class: `bubble ${side}` }, parts);
}

function extras(request) {
  const lines = [];
  for (const media of request?.media ?? []) lines.push(`📎 ${media.filename || media.content_type}`);
  if (request?.MediaUrl) lines.push(`📎 ${[].concat(request.MediaUrl).length} attachment(s)`);
  if (request?.location) lines.push(`📍 ${request.location.label ?? 'Location'}`);
  if (request?.ContentSid) lines.push(`template ${request.ContentSid}`);
  if (request?.private === true) lines.push('private note');
  return lines.map((text) => element('p', { class: 'extra', text }));
}

function inboundFoot(record) {
  const took = record.elapsed_us ? ` · ${(record.elapsed_us / 1000).toFixed(1)} ms` : '';
  const words = {
    posting: ['…', 'being posted'],
    received: ['✓', `ingress answered ${record.code}${took}`],
    rejected: [`✗ ${record.code}`, `ingress answered ${record.code}${took}`],
    unreachable: ['✗ no answer', 'the ingress did not answer'],
  };
  const [sign, title] = words[record.status] ?? ['', ''];
  const bad = record.status === 'rejected' || record.status === 'unreachable';
  return [
    element('span', { class: 'took', text: record.status === 'received' ? took.slice(3) : '' }),
    element('time', { datetime: record.at, text: clock(record.at) }),
    element('span', { class: bad ? 'tick bad' : 'tick', title, text: sign }),
  ];
}

function outboundFoot(record) {
  const signs = { sent: '✓', delivered: '✓✓', read: '✓✓', failed: '✗', undelivered: '✗' };
  const bad = record.status === 'failed' || record.status === 'undelivered';
  const kind = bad ? 'tick bad' : record.status === 'read' ? 'tick read' : 'tick';
  const code = bad && record.code ? ` ${record.code}` : '';
  const foot = [
    element('time', { datetime: record.at, text: clock(record.at) }),
    element('span', { class: kind, title: record.status, text: (signs[record.status] ?? '🕓') + code }),
  ];
  if (record.fault) foot.unshift(element('span', { class: 'fault', text: record.fault }));
  return foot;
}

function notice(text) {
  return element('li', { class: 'notice', text });
}
