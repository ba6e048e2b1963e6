// The console in a real browser, over a whole system. Run by tests/it/console.rs, which starts it and says
// where in CONSOLE and SIMULATOR.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { axePath, launch } from './browser.mjs';

const { CONSOLE, SIMULATOR, PASSWORD, PICTURES } = process.env;
const PATIENCE = 60_000;
const axe = readFileSync(axePath, 'utf8');
const HOSTILE = `</textarea><img src=x onerror=window.struck=1>"'`;

let browser;
const strangers = [];
const complaints = [];

before(async () => { browser = await launch(); });
after(() => browser?.close());

/** Somebody with a browser of their own. */
async function someone(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.on('request', (request) => {
    if (!request.url().startsWith(CONSOLE)) strangers.push(request.url());
  });
  page.on('console', (message) => {
    // A page that says why something was not done has the status for it.
    const isStatus = /status of (401|409|422)/.test(message.text());
    if (message.type() === 'error' && !isStatus) complaints.push(`${message.text()} ${message.location().url}`);
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(CONSOLE);
  return page;
}

async function login(page, name, password = PASSWORD) {
  await page.getByLabel(/name|naam/i).fill(name);
  await page.getByLabel(/password|wachtwoord/i).fill(password);
  await page.getByRole('button', { name: /^(Log in|Inloggen)$/ }).click();
}

async function operator(name, options = {}) {
  const page = await someone(options);
  await login(page, name);
  await page.getByRole('heading', { level: 1, name: /Waiting|Wachten/ }).waitFor();
  return page;
}

/** A customer writes; answers come to the simulator. */
async function writes(name, from, text, provider = 'twilio') {
  const answer = await fetch(`${SIMULATOR}/simulator/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ provider, from, name, text }),
  });
  assert.ok(answer.ok, await answer.text());
}

/** Waits until a provider has taken this; gives how often. */
async function got(text) {
  const until = Date.now() + PATIENCE;
  for (;;) {
    const answer = await fetch(`${SIMULATOR}/simulator/sent`);
    const sent = (await answer.json()).entries.filter((message) => JSON.stringify(message).includes(text));
    if (sent.length > 0) return sent.length;
    assert.ok(Date.now() < until, `nobody got ${text}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const person = (page, name) => page.locator('.person', { has: page.getByRole('heading', { name, exact: true }) });

async function photograph(page, name) {
  if (!PICTURES) return;
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
}

test('who has not the password sees nothing, and who has it sees who waits', async () => {
  const page = await someone();
  await page.getByRole('heading', { name: 'Log in' }).waitFor();
  assert.equal(await page.locator('nav').count(), 0);
  await photograph(page, 'login');
  await login(page, 'Anna', 'not the password');
  await page.getByText('Name or password is wrong').waitFor();
  await login(page, 'Anna');
  await page.getByText('Nobody waits').waitFor();
  await page.getByRole('button', { name: 'Log out Anna' }).click();
  await page.getByRole('heading', { name: 'Log in' }).waitFor();
  await page.goto(`${CONSOLE}/leads`);
  await page.getByRole('heading', { name: 'Log in' }).waitFor();
  await page.close();
});

for (const [provider, from] of [['twilio', '+31620000001'], ['waha', '+31620000002'], ['chatwoot', '+31620000003']]) {
  test(`a hand-over through ${provider} is taken, answered and, but for Chatwoot, given back`, async () => {
    const anna = await operator('Anna');
    const name = `Klant van ${provider}`;
    await writes(name, from, 'Kan ik iemand spreken?', provider);
    // Nobody loads the page again.
    await person(anna, name).waitFor();
    await person(anna, name).getByRole('button', { name: 'Take' }).click();
    await anna.getByText('It is yours').waitFor();
    await person(anna, name).getByText('taken: Anna').waitFor();
    await person(anna, name).getByRole('link', { name }).click();
    await anna.getByText('The bot is silent', { exact: true }).waitFor();
    await anna.getByRole('textbox', { name: /Answer over/ }).fill(`Dag, met Anna over ${provider}`);
    await anna.getByRole('button', { name: 'Send' }).click();
    await anna.getByText('Your answer is on its way').waitFor();
    await anna.locator('li.colleague', { hasText: `Dag, met Anna over ${provider}` }).waitFor();
    assert.equal(await got(`Dag, met Anna over ${provider}`), 1);
    // What the customer goes on to say, and giving back, is Chatwoot's own while a person has it there.
    if (provider === 'chatwoot') {
      await anna.getByText('It is given back in Chatwoot').waitFor();
      assert.equal(await anna.getByRole('button', { name: 'Give back' }).count(), 0);
      return anna.close();
    }
    // What happened to the message is folded under it, and stays open when the page freshens itself.
    await anna.locator('li.customer').first().getByText('What happened').click();
    await anna.locator('.xray[open]').getByText('turn taken').waitFor();
    await writes(name, from, 'Is de Golf er nog?', provider);
    await anna.locator('li.customer', { hasText: 'Is de Golf er nog?' }).waitFor();
    assert.equal(await anna.locator('.xray[open]').count(), 1);
    await photograph(anna, `conversation-${provider}`);
    await anna.locator('.banner').getByRole('button', { name: 'Give back' }).click();
    await anna.getByText('The bot answers in this conversation').waitFor();
    const before = await anna.locator('li.bot').count();
    await writes(name, from, 'Zijn jullie zaterdag open?', provider);
    await anna.waitForFunction((count) => document.querySelectorAll('li.bot').length > count, before);
    await anna.close();
  });
}

test('of two at once one has it, and the other is told', async () => {
  const [anna, bram] = [await operator('Anna'), await operator('Bram')];
  await writes('Twee Tegelijk', '+31620000004', 'Kan ik iemand spreken?');
  await person(anna, 'Twee Tegelijk').waitFor();
  await person(bram, 'Twee Tegelijk').waitFor();
  const take = person(bram, 'Twee Tegelijk').getByRole('button', { name: 'Take' });
  const button = await take.elementHandle();
  await person(anna, 'Twee Tegelijk').getByRole('button', { name: 'Take' }).click();
  await anna.getByText('It is yours').waitFor();
  // As if Bram had pressed in the same moment.
  const [status, words] = await button.evaluate(async (one) => {
    const answer = await fetch(one.form.action, { method: 'POST', body: new URLSearchParams({ back: '/' }) });
    return [answer.status, await answer.text()];
  });
  assert.equal(status, 409);
  assert.match(words, /by Anna/);
  await person(bram, 'Twee Tegelijk').getByText('taken: Anna').waitFor();
  await photograph(bram, 'waiting');
  await anna.close();
  await bram.close();
});

test('a hostile name and text are words and nothing else', async () => {
  const anna = await operator('Anna');
  await writes(HOSTILE, '+31620000005', `Kan ik iemand spreken? ${HOSTILE}`);
  const row = anna.locator('.person', { hasText: 'onerror=window.struck' });
  await row.waitFor();
  await row.getByRole('link').first().click();
  await anna.locator('li.customer', { hasText: 'onerror' }).waitFor();
  for (const path of ['/conversations', '/leads', '/notices', '/acts']) await anna.goto(CONSOLE + path);
  assert.equal(await anna.evaluate(() => window.struck), undefined);
  assert.equal(await anna.locator('img[src="x"]').count(), 0);
  await anna.close();
});

test('keys move, open and take', async () => {
  const anna = await operator('Anna');
  await writes('Toets Aanslag', '+31620000006', 'Kan ik iemand spreken?');
  await person(anna, 'Toets Aanslag').waitFor();
  await anna.keyboard.press('?');
  await anna.getByRole('heading', { name: 'Keys' }).waitFor();
  await anna.keyboard.press('Escape');
  await anna.keyboard.press('j');
  const focused = await anna.evaluate(() => document.activeElement.hasAttribute('data-row'));
  assert.ok(focused, 'a row has the focus');
  await person(anna, 'Toets Aanslag').focus();
  await anna.keyboard.press('t');
  await person(anna, 'Toets Aanslag').getByText('taken: Anna').waitFor();
  await person(anna, 'Toets Aanslag').focus();
  await anna.keyboard.press('Enter');
  await anna.getByRole('heading', { level: 1, name: 'Toets Aanslag' }).waitFor();
  await anna.getByText('The bot is silent', { exact: true }).waitFor();
  await anna.keyboard.press('r');
  await anna.keyboard.type('t is geen toets in een tekst');
  assert.equal(await anna.getByRole('textbox').inputValue(), 't is geen toets in een tekst');
  await anna.close();
});

test('one key says what a guess was meant to be', async () => {
  const anna = await operator('Anna');
  await writes('Raad Mij', '+31620000008', 'blorp de snorf gewiebel');
  const row = anna.locator('.unclear li', { hasText: 'blorp de snorf' });
  await anna.waitForFunction(async () => (await (await fetch('/understanding')).text()).includes('blorp de snorf'));
  await anna.goto(`${CONSOLE}/understanding`);
  await row.focus();
  await photograph(anna, 'understanding');
  await anna.keyboard.press('3');
  await row.waitFor({ state: 'detached' });
  await anna.getByRole('link', { name: 'Labelled', exact: true }).click();
  await row.getByText('Take the label back').waitFor();
  await anna.close();
});

test('a dead letter is read, replayed and discarded', async () => {
  const anna = await operator('Anna');
  await anna.getByRole('link', { name: 'Dead letters' }).click();
  const group = anna.locator('tbody tr').first();
  await group.getByRole('link').click();
  await anna.locator('tbody tr').first().getByRole('link').click();
  await anna.getByText('<b>wie ben ik</b>').waitFor();
  await photograph(anna, 'letter');
  await anna.getByRole('link', { name: 'All with this reason' }).click();
  await anna.getByText('Replay these').click();
  await photograph(anna, 'letters-of');
  await anna.getByRole('button', { name: 'Yes, replay 1' }).click();
  await anna.getByText('Put back: they are handled again').waitFor();
  // It is as unreadable as before.
  await anna.waitForFunction(async () => (await (await fetch('/letters')).text()).includes('data-row'));
  await anna.reload();
  await photograph(anna, 'letters');
  await anna.locator('tbody tr').first().getByRole('link').click();
  await anna.getByText('Discard these').click();
  await anna.getByLabel('Why, for those who look later').fill('een raadsel');
  await anna.getByRole('button', { name: 'Discard for good' }).click();
  await anna.getByText('Everything was handled').waitFor();
  await anna.close();
});

test('a person is erased after a look at what goes', async () => {
  const anna = await operator('Anna');
  await writes('Wis Mij', '+31620000007', 'Ik zoek een Volkswagen Golf');
  await anna.waitForFunction(async () => (await (await fetch('/conversations')).text()).includes('Wis Mij'));
  await anna.goto(`${CONSOLE}/conversations?search=wis+mij`);
  await photograph(anna, 'conversations');
  await anna.locator('tbody tr').getByRole('link').first().click();
  await anna.getByRole('link', { name: 'Erase this person' }).click();
  await anna.getByText('CRM contacts').waitFor();
  await photograph(anna, 'erase');
  await anna.getByRole('button', { name: 'Erase for good' }).click();
  await anna.getByText('Everything of this person was removed').waitFor();
  await anna.goto(`${CONSOLE}/conversations?search=wis+mij`);
  await anna.getByText('Nobody is found').waitFor();
  await anna.close();
});

test('the overview tells what happens while one looks at it', async () => {
  const anna = await operator('Anna');
  await anna.goto(`${CONSOLE}/overview`);
  await anna.locator('#services tr').nth(2).waitFor();
  const told = await anna.locator('#services tr').allInnerTexts();
  // The worker answers as an invented business, and says so.
  for (const [at, words] of [/^ingress.*ready/s, /^worker.*degraded.*invented/s, /^egress.*ready/s].entries()) {
    assert.match(told[at], words);
  }
  const figure = anna.locator('#figures .card', { hasText: 'messages a minute in' }).locator('dd');
  const before = await figure.textContent();
  await anna.evaluate(() => { window.same = true; });
  for (let count = 0; count < 5; count += 1) await writes('Druk', `+3162000010${count}`, 'Zijn jullie zaterdag open?');
  await anna.waitForFunction((old) => {
    const cards = [...document.querySelectorAll('#figures .card')];
    return cards.find((card) => card.textContent.includes('messages a minute in')).querySelector('dd').textContent !== old;
  }, before);
  await anna.locator('#model dt', { hasText: 'tokens' }).waitFor();
  assert.equal(await anna.evaluate(() => window.same), true, 'nobody loaded the page again');
  await photograph(anna, 'overview');
  await anna.close();
});

test('it works without a script, in Dutch', async () => {
  const anna = await operator('Anna', { javaScriptEnabled: false, locale: 'nl-NL' });
  await anna.locator('.person').first().getByRole('link').first().click();
  await anna.getByRole('textbox').fill('Zonder script');
  await anna.getByRole('button', { name: 'Versturen' }).click();
  await anna.getByText('Je antwoord is onderweg').waitFor();
  await anna.close();
});

const PAGES = [
  ['waiting', '/'], ['conversations', '/conversations'], ['leads', '/leads?status=all'],
  ['appointments', '/appointments'], ['notices', '/notices'], ['letters', '/letters'],
  ['understanding', '/understanding'], ['overview', '/overview'], ['acts', '/acts'],
];

for (const colorScheme of ['light', 'dark']) {
  for (const viewport of [{ width: 1280, height: 800 }, { width: 390, height: 844 }]) {
    test(`axe finds nothing, ${colorScheme}, at ${viewport.width} pixels`, async () => {
      // Axe is not from the console: for this page its policy is put aside.
      const options = { colorScheme, viewport, bypassCSP: true };
      const anna = await operator('Anna', options);
      const first = await anna.locator('.person a[data-open]').first().getAttribute('href');
      for (const [name, path] of [...PAGES, ['conversation', first], ['erase', `${first}/erase`]]) {
        await anna.goto(CONSOLE + path);
        await anna.evaluate(axe);
        const { violations } = await anna.evaluate(() => globalThis.axe.run());
        const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).slice(0, 3).join(' ')}`);
        assert.deepEqual(found, [], `${path}`);
        const isWide = await anna.evaluate(() => document.documentElement.scrollWidth > innerWidth);
        assert.equal(isWide, false, `${path} is wider than the window`);
        await photograph(anna, `${name}-${viewport.width}-${colorScheme}`);
      }
      await anna.context().close();
    });
  }
}

test('nothing was asked of anybody else, and nothing complained', () => {
  assert.deepEqual(strangers, []);
  assert.deepEqual(complaints, []);
});
