// The simulator's page in a real browser, over a whole system. Run by tests/it/page.rs, which starts it and
// says where in PAGE.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { axePath, launch } from './browser.mjs';

const URL_OF_PAGE = process.env.PAGE;
const PATIENCE = 20_000;
const axe = readFileSync(axePath, 'utf8');

let browser;
let page;
const strangers = [];
const complaints = [];

before(async () => {
  browser = await launch();
  page = await open({ viewport: { width: 1280, height: 800 } });
});

after(() => browser?.close());

async function open(options = {}, path = '/') {
  const opened = await browser.newPage(options);
  opened.setDefaultTimeout(PATIENCE);
  opened.on('request', (request) => {
    if (!request.url().startsWith(URL_OF_PAGE)) strangers.push(request.url());
  });
  opened.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`${message.text()} ${message.location().url}`);
  });
  opened.on('pageerror', (error) => complaints.push(String(error)));
  opened.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  await opened.goto(URL_OF_PAGE + path);
  return opened;
}

/** Puts a new customer on the page; gives their conversation. */
async function customer(name, from, provider) {
  await page.getByText('New customer').click();
  const form = page.locator('.newcomer form');
  await form.getByLabel('Name').fill(name);
  await form.getByLabel('Number or address').fill(from);
  await form.getByLabel('Through').selectOption(provider);
  await form.getByRole('button', { name: 'Open conversation' }).click();
  const chat = page.locator('article', { has: page.getByRole('heading', { name, exact: true }) });
  await chat.waitFor();
  return chat;
}

async function write(chat, text, by = 'Enter') {
  const box = chat.getByRole('textbox');
  await box.fill(text);
  if (by === 'Enter') await box.press('Enter');
  else await chat.getByRole('button', { name: 'Send as a colleague' }).click();
  await chat.locator('li', { hasText: text }).first().waitFor();
}

// A picture that goes along is a message of its own.
const replies = (chat) => chat.locator('li.theirs:not(:has(img.picture))');
const nth = (chat, number) => replies(chat).nth(number - 1).waitFor();
const count = async (name) => Number(await page.locator(`#count-${name}`).textContent());

async function settled() {
  await page.waitForFunction(() => document.getElementById('count-waiting').textContent === '0');
  assert.equal(await count('lost'), 0);
  assert.equal(await count('doubled'), 0);
}

async function xray(chat) {
  const message = chat.locator('li.mine').last();
  const text = await message.locator('p[dir]').textContent();
  await message.getByRole('link', { name: /X-ray/ }).click();
  await page.locator('.quote').filter({ hasText: text }).waitFor();
  await page.locator('#verdict').filter({ hasText: 'Answered after' }).waitFor();
  return page.locator('#xray');
}

for (const [provider, from] of [['twilio', '+31620000001'], ['waha', '+31620000002'], ['chatwoot', '+31620000003']]) {
  test(`a conversation through ${provider}, with its X-ray and its ticks`, async () => {
    const chat = await customer(`Klant van ${provider}`, from, provider);
    await chat.getByRole('button', { name: 'Ik zoek een Golf' }).click();
    await nth(chat, 1);
    await replies(chat).first().locator('.tick.read').waitFor();
    const shown = await xray(chat);
    for (const step of ['Webhook', 'Turn', 'router', 'extraction', 'conversation', 'crm', 'Send gate', 'API call']) {
      await shown.locator('.hop b', { hasText: new RegExp(`^${step}$`) }).first().waitFor();
    }
    for (const said of ['car_inquiry', 'Volkswagen', 'spoke for it', 'new lead', 'inbound stream']) {
      await shown.filter({ hasText: said }).waitFor();
    }
    if (provider !== 'chatwoot') {
      const picture = chat.locator('li.theirs img.picture');
      await picture.waitFor();
      assert.ok(await picture.evaluate(async (image) => { await image.decode(); return image.naturalWidth > 0; }));
      await chat.getByText(/^https:\/\/deduif\.example\/foto\//).waitFor();
    }
    await shown.getByText('Webhook to ingress').click();
    assert.match(await shown.locator('#raw-webhook pre').textContent(), /signature|hmac/i);
    await shown.getByText(/API call of egress/).first().click();
    assert.match(await shown.locator('#raw-call-1 pre').textContent(), /Golf/);
  });
}

test('a picture is shown, and a place and a button are told', async () => {
  const chat = await customer('Piet Plaatje', '+31620000004', 'twilio');
  for (const sample of ['Photo', 'Place', 'Button']) {
    await chat.getByRole('button', { name: sample, exact: true }).click();
  }
  await chat.getByText('Button, yes').waitFor();
  await chat.getByText('Place: De Dam').waitFor();
  const picture = chat.locator('img.picture');
  assert.ok(await picture.evaluate(async (image) => { await image.decode(); return image.naturalWidth > 0; }));
});

test('a burst is one turn with one reply', async () => {
  const chat = await customer('Bram Burst', '+31620000005', 'waha');
  await chat.getByRole('button', { name: 'Burst of three' }).click();
  await nth(chat, 1);
  const shown = await xray(chat);
  await shown.getByText('3 messages read as one').waitFor();
  await settled();
  assert.equal(await replies(chat).count(), 1);
});

test('a dated wish is resolved, and a question for hours names its fact', async () => {
  const chat = await customer('Dirk Datum', '+31620000006', 'twilio');
  await write(chat, 'Kan ik zaterdag om 11 uur een proefrit maken in de Peugeot 208?');
  await nth(chat, 1);
  await (await xray(chat)).filter({ hasText: 'proefrit*' }).waitFor();
  await (await xray(chat)).filter({ hasText: /→ \d{4}-\d\d-\d\d, 11:00/ }).waitFor();
  await write(chat, 'Zijn jullie zondag open?');
  await nth(chat, 2);
  await (await xray(chat)).filter({ hasText: /facts used\s*hours/ }).waitFor();
});

test('a fault strikes once, and the reply comes once all the same', async () => {
  const chat = await customer('Fenna Fout', '+31620000007', 'twilio');
  await page.getByRole('link', { name: /^Faults/ }).last().click();
  const fault = page.getByRole('button', { name: /Reset after accepting/ });
  await fault.click();
  await page.locator('button[aria-pressed="true"]').waitFor();
  await write(chat, 'Hebben jullie een Kia Picanto?');
  await nth(chat, 1);
  await fault.getByText('1×').waitFor();
  await settled();
  assert.equal(await replies(chat).count(), 1);
});

test('a worker that is killed loses nothing and answers nobody twice', async () => {
  const chat = await customer('Wim Werker', '+31620000008', 'twilio');
  await page.getByRole('link', { name: /^Faults/ }).last().click();
  await page.getByRole('button', { name: 'Kill worker' }).click();
  await write(chat, 'Ik zoek een Opel Corsa');
  await page.locator('#service-worker').getByText('restarted 1×').waitFor();
  await nth(chat, 1);
  await settled();
  assert.equal(await replies(chat).count(), 1);
});

test('a colleague takes over, answers and gives back', async () => {
  const chat = await customer('Hanna Hand', '+31620000009', 'chatwoot');
  await write(chat, 'Ik zoek een Volkswagen Golf');
  await nth(chat, 1);
  await chat.getByRole('button', { name: 'Take over' }).click();
  await chat.getByText('Petra has it').waitFor();
  await write(chat, 'Is hij er nog?');
  await chat.getByText('a colleague has the conversation').waitFor();
  await write(chat, 'Ja, kom gerust langs', 'colleague');
  await chat.locator('li.colleague').waitFor();
  await chat.getByRole('button', { name: 'Give back' }).click();
  await chat.getByText('bot answers').waitFor();
  await write(chat, 'Zijn jullie zaterdag open?');
  await nth(chat, 2);
});

test('who wrote STOP is told once, and then why nothing is said', async () => {
  const chat = await customer('Stella Stop', '+31620000010', 'twilio');
  await chat.getByRole('button', { name: 'STOP', exact: true }).click();
  await nth(chat, 1);
  await write(chat, 'Hallo?');
  await chat.getByText('the customer wrote STOP').waitFor();
});

test('a hostile name and text are words and nothing else', async () => {
  const hostile = `</textarea><img src=x onerror=window.struck=1>"'`;
  const chat = await customer(hostile, '+31620000011', 'waha');
  await write(chat, hostile);
  await nth(chat, 1);
  await xray(chat);
  await page.reload();
  await page.getByText(hostile).first().waitFor();
  assert.equal(await page.evaluate(() => window.struck), undefined);
  assert.equal(await page.locator('img[src="x"]').count(), 0);
});

test('half a message stays when something happens elsewhere', async () => {
  const chats = page.locator('article');
  const [one, other] = [chats.nth(0), chats.nth(1)];
  const box = one.getByRole('textbox');
  await box.fill('half een ber');
  await write(other, 'Goedemiddag');
  assert.equal(await box.inputValue(), 'half een ber');
  await box.fill('');
});

test('it works without a script', async () => {
  const plain = await open({ javaScriptEnabled: false });
  const chat = plain.locator('article').first();
  await chat.getByRole('textbox').fill('Zijn jullie maandag open?');
  await chat.getByRole('button', { name: /^Send as (?!a colleague)/ }).click();
  await plain.getByText('Zijn jullie maandag open?').first().waitFor();
  assert.ok(await plain.locator('#xray .hop, #xray .verdict').count() > 0);
  await plain.close();
});

test('everything is forgotten on demand', async () => {
  await page.getByRole('link', { name: /^Faults/ }).last().click();
  await page.getByRole('button', { name: 'Forget everything' }).click();
  await page.waitForFunction(() => document.querySelectorAll('article').length === 3);
  assert.equal(await count('sent'), 0);
  // What axe looks at: a message of each kind.
  const chat = page.locator('article').nth(2);
  await write(chat, 'Kan ik zaterdag een proefrit maken in de Peugeot 208?');
  await nth(chat, 1);
  await write(chat, 'Ja hoor', 'colleague');
  await chat.getByText('Petra has it').waitFor();
  await chat.getByRole('button', { name: 'Photo' }).click();
  await chat.getByText('a colleague has the conversation').waitFor();
});

for (const colorScheme of ['light', 'dark']) {
  for (const viewport of [{ width: 1280, height: 800 }, { width: 390, height: 844 }]) {
    test(`axe finds nothing serious, ${colorScheme}, ${viewport.width} wide`, async () => {
      const paths = viewport.width < 760 ? ['/', '/?panel=xray', '/?panel=faults'] : ['/', '/?panel=faults'];
      for (const path of paths) {
        // The policy runs nothing inline; what is evaluated through the debugger is not bound by it.
        const looked = await open({ colorScheme, viewport, reducedMotion: 'reduce' }, path);
        await looked.evaluate(axe);
        const { violations } = await looked.evaluate(() => window.axe.run({ resultTypes: ['violations'] }));
        const serious = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
        const found = serious.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target}`));
        assert.deepEqual(found, [], path);
        const overflow = await looked.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(overflow <= 0, `${path} is ${overflow} px too wide`);
        await looked.close();
      }
    });
  }
}

test('nothing is asked of anybody else, and the browser complains of nothing', () => {
  assert.deepEqual(strangers, []);
  assert.deepEqual(complaints, []);
});
