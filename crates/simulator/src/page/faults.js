// The panel: faults on and off, and what the senders have done.

import { api } from './api.js';
import { byId, element } from './dom.js';

const PRESETS = [
  ['Too many requests', '429, Retry-After 2', { kind: 'rate_limited', retry_after_secs: 2 }],
  ['Server error', '500, not accepted', { kind: 'server_error', status: 500, accept: false }],
  ['Server error after accepting', '500, but it was sent', { kind: 'server_error', status: 500, accept: true }],
  ['Bad gateway', '502 with a page', { kind: 'server_error', status: 502, body: 'html' }],
  ['Wrong number', 'Twilio 21211', { kind: 'error', status: 400, code: 21211 }],
  ['Slow', 'accepted, answered after 3 s', { kind: 'delay', ms: 3000 }],
  ['Silence after accepting', 'the answer never comes', { kind: 'timeout', accept: true }],
  ['Reset after accepting', 'the connection breaks', { kind: 'reset', accept: true }],
  ['Reset before accepting', 'nothing was sent', { kind: 'reset', accept: false }],
  ['Stalls half-way', 'half an answer', { kind: 'stall' }],
  ['Empty answer', 'the right status, no body', { kind: 'empty_body' }],
  ['Nonsense answer', 'wrong types in the JSON', { kind: 'wrong_types' }],
  ['Not delivered', 'later: failed, 63016', { kind: 'delivery', statuses: ['sent', 'failed'], error_code: 63016 }],
  ['Callbacks in disorder', 'shuffled and doubled', { kind: 'delivery', shuffle: true, copies: 2 }],
].map(([name, hint, fault]) => ({ name, hint, fault }));

const switches = new Map();

/** Fills the panel and keeps it fresh. */
export function startPanel(onReset) {
  const list = byId('presets');
  for (const preset of PRESETS) {
    const box = element('input', { type: 'checkbox', role: 'switch' });
    const count = element('span', { class: 'count' });
    box.addEventListener('change', () => flip(preset, box.checked));
    switches.set(preset, { box, count });
    list.append(element('li', {}, [
      element('label', {}, [
        box,
        element('span', { class: 'what' }, [
          element('span', { text: preset.name }),
          element('small', { text: preset.hint }),
        ]),
        count,
      ]),
    ]));
  }
  byId('behave').addEventListener('click', async () => {
    await api.clearFaults();
    await refresh();
  });
  byId('reset').addEventListener('click', async () => {
    await api.reset();
    onReset();
    await refresh();
  });
  refresh();
  setInterval(() => { if (!document.hidden) refresh(); }, 2000);
}

async function flip(preset, on) {
  if (on) {
    await api.addFault(ruleOf(preset));
  } else {
    const { faults } = await api.faults();
    await Promise.all(faults.filter((rule) => isOf(rule, preset)).map((rule) => api.removeFault(rule.id)));
  }
  await refresh();
}

function ruleOf(preset) {
  const provider = byId('fault-provider').value || undefined;
  const often = byId('fault-often').value;
  return {
    provider,
    endpoint: preset.fault.kind === 'delivery' ? 'delivery' : 'send',
    times: often === 'once' ? 1 : undefined,
    probability: often === 'some' ? 0.25 : undefined,
    seed: often === 'some' ? Math.floor(Math.random() * 1e9) : undefined,
    fault: preset.fault,
  };
}

/** Whether a rule is this preset: it has everything that the preset has. */
function isOf(rule, preset) {
  return Object.entries(preset.fault).every(
    ([name, value]) => JSON.stringify(rule.fault[name]) === JSON.stringify(value));
}

function isSpent(rule) {
  return rule.times != null && rule.struck >= rule.times;
}

/** Reads the state of faults and counters again. */
export async function refresh() {
  const [{ faults }, { journal }] = await Promise.all([api.faults(), api.stats()]);
  for (const [preset, { box, count }] of switches) {
    const rules = faults.filter((rule) => isOf(rule, preset));
    box.checked = rules.some((rule) => !isSpent(rule));
    const struck = rules.reduce((sum, rule) => sum + rule.struck, 0);
    count.textContent = struck ? `${struck}×` : '';
  }
  showOthers(faults.filter((rule) => !PRESETS.some((preset) => isOf(rule, preset))));
  showStats(journal);
}

function showOthers(rules) {
  byId('others').replaceChildren(...rules.map((rule) => element('p', { class: 'other' }, [
    element('code', { text: `${rule.provider ?? 'all'} ${JSON.stringify(rule.fault)}` }),
    element('span', { class: 'count', text: `${rule.struck}×` }),
    element('button', {
      type: 'button', class: 'plain', 'aria-label': 'Take this fault back', text: '×',
      onclick: async () => { await api.removeFault(rule.id); await refresh(); },
    }),
  ])));
}

function showStats(journal) {
  const rows = journal.senders.map((sender) => {
    const refused = Object.entries(sender.refused).map(([code, times]) => `${code} (${times})`);
    return element('div', { class: 'sender' }, [
      element('strong', { text: sender.sender || 'unknown sender' }),
      numbers([
        ['accepted', sender.accepted],
        ['busiest second', sender.busiest_second],
        ['duplicates', sender.duplicates, sender.duplicates > 0],
        ['refused', refused.join(', ') || '0', refused.length > 0],
      ]),
    ]);
  });
  const total = element('p', {
    class: 'total',
    text: `${journal.entries} entries remembered, ${journal.dropped} dropped`,
  });
  byId('stats').replaceChildren(...rows, total);
}

function numbers(pairs) {
  return element('dl', {}, pairs.flatMap(([name, value, bad]) => [
    element('dt', { text: name }),
    element('dd', { class: bad ? 'bad' : '', text: String(value) }),
  ]));
}
