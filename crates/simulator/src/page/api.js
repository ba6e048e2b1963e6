// The simulator's own commands.

async function call(method, path, body) {
  const options = { method };
  if (body !== undefined) {
    options.headers = { 'content-type': 'application/json' };
    options.body = JSON.stringify(body);
  }
  const answer = await fetch(`/simulator/${path}`, options);
  const text = await answer.text();
  const json = text ? JSON.parse(text) : null;
  if (!answer.ok) throw new Error(json?.error ?? `HTTP ${answer.status}`);
  return json;
}

export const api = {
  info: () => call('GET', 'info'),
  stats: () => call('GET', 'stats'),
  conversations: () => call('GET', 'conversations'),
  transcript: (provider, customer) =>
    call('GET', `conversations/${encodeURIComponent(customer)}?provider=${provider}`),
  post: (message) => call('POST', 'messages', message),
  colleague: (message) => call('POST', 'colleague', message),
  takeOver: (from, status, assignee) => call('POST', 'chatwoot/status', { from, status, assignee }),
  faults: () => call('GET', 'faults'),
  addFault: (rule) => call('POST', 'faults', rule),
  removeFault: (id) => call('DELETE', `faults/${id}`),
  clearFaults: () => call('DELETE', 'faults'),
  reset: () => call('POST', 'reset', {}),
};

/** Listens to everything that happens. `onEntry` gets records, the others nothing. */
export function listen({ onEntry, onReload, onOnline, onOffline }) {
  const source = new EventSource('/simulator/events');
  source.addEventListener('open', onOnline);
  source.addEventListener('error', onOffline);
  source.addEventListener('reload', onReload);
  source.addEventListener('entry', (event) => onEntry(JSON.parse(event.data)));
}
