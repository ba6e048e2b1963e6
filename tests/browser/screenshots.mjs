// Photographs the page and the console of a running demo. Usage: node screenshots.mjs PAGE CONSOLE [FOLDER]

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch } from './browser.mjs';

const [address, desk, everywhere] = process.argv.slice(2);
const crates = fileURLToPath(new URL('../../crates', import.meta.url));

const SIZES = [{ width: 1280, height: 800 }, { width: 390, height: 844 }];
const CHATS = [['chats', '/'], ['xray', '/?panel=xray'], ['faults', '/?panel=faults']];
const PAGES = [
  ['waiting', '/'], ['conversations', '/conversations'], ['leads', '/leads?status=all'],
  ['appointments', '/appointments?status=all'], ['notices', '/notices'], ['letters', '/letters'],
  ['understanding', '/understanding'], ['overview', '/overview'], ['acts', '/acts'], ['problem', '/nothing'],
];

const browser = await launch();
const page = await browser.newPage({ viewport: SIZES[0] });
await page.goto(address);
await act(page);
const conversation = await answer();

if (everywhere) {
  const views = CHATS.map(([name, path]) => [name, address + path]);
  for (const [name, path] of PAGES) views.push([`console-${name}`, desk + path]);
  for (const [name, path] of [['conversation', ''], ['erase', '/erase']]) {
    views.push([`console-${name}`, desk + conversation + path]);
  }
  for (const colorScheme of ['light', 'dark']) {
    for (const viewport of SIZES) {
      for (const [name, url] of views) {
        const file = join(everywhere, `${name}-${viewport.width}-${colorScheme}.png`);
        await photograph(url, { colorScheme, viewport }, file, name.startsWith('console'));
      }
    }
  }
} else {
  const [own, others] = [join(crates, 'simulator/pictures'), join(crates, 'console/pictures')];
  const telephone = { viewport: SIZES[1], colorScheme: 'dark' };
  await photograph(address, { viewport: SIZES[0] }, join(own, 'page.jpg'));
  await photograph(`${address}/?panel=xray`, telephone, join(own, 'xray.jpg'));
  await photograph(desk + conversation, { viewport: SIZES[0] }, join(others, 'conversation.jpg'));
  await photograph(`${desk}/overview`, telephone, join(others, 'overview.jpg'));
}
await browser.close();

/** Lets three customers write, the last one with a wish for a day; one of them asks for a person. */
async function act(page) {
  const chats = page.locator('article');
  await press(chats.nth(1), 'Burst of three');
  const human = chats.nth(2);
  await press(human, 'Zondag open?');
  await human.getByRole('button', { name: 'Take over' }).click();
  await write(human, 'Is de zwarte Polo er nog?');
  await human.getByText('a colleague has the conversation').waitFor();
  await human.getByRole('textbox').fill('Ja, kom gerust langs!');
  await human.getByRole('button', { name: 'Send as a colleague' }).click();
  await human.locator('li.colleague').waitFor();
  await press(chats.nth(0), 'Proefrit zaterdag');
  await page.locator('#xray .hop', { hasText: 'Tick' }).nth(2).waitFor();
  const replies = chats.nth(1).locator('li.theirs');
  const before = await replies.count();
  await write(chats.nth(1), 'Kan ik iemand spreken?');
  await replies.nth(before).waitFor();
}

/** Answers who waits; gives the address of the conversation, without the console's own. */
async function answer() {
  const console = await browser.newPage({ viewport: SIZES[0] });
  await console.goto(desk);
  await console.locator('.person a[data-open]').first().click();
  await console.getByRole('textbox').fill('Goedemiddag, met Anna. Waarmee kan ik helpen?');
  await console.getByRole('button', { name: 'Send' }).click();
  await console.locator('li.colleague').waitFor();
  const path = new URL(console.url()).pathname;
  await console.close();
  return path;
}

async function press(chat, name) {
  const replies = chat.locator('li.theirs');
  const before = await replies.count();
  await chat.getByRole('button', { name, exact: true }).click();
  await replies.nth(before).waitFor();
}

async function write(chat, text) {
  await chat.getByRole('textbox').fill(text);
  await chat.getByRole('textbox').press('Enter');
  await chat.locator('li.mine', { hasText: text }).waitFor();
}

async function photograph(url, options, path, fullPage = false) {
  mkdirSync(join(path, '..'), { recursive: true });
  const page = await browser.newPage(options);
  await page.goto(url, { waitUntil: 'load' });
  const small = path.endsWith('.jpg') ? { type: 'jpeg', quality: 80 } : {};
  await page.screenshot({ path, fullPage, ...small });
  await page.close();
}
