// Photographs the page of a running demo. Usage: node screenshots.mjs ADDRESS [FOLDER]

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch } from './browser.mjs';

const [address, everywhere] = process.argv.slice(2);
const folder = everywhere ?? fileURLToPath(new URL('../../crates/simulator/pictures', import.meta.url));
mkdirSync(folder, { recursive: true });

const SIZES = [{ width: 1280, height: 800 }, { width: 390, height: 844 }];
const browser = await launch();
const desk = await browser.newPage({ viewport: SIZES[0] });
await desk.goto(address);
await act(desk);

if (everywhere) {
  for (const colorScheme of ['light', 'dark']) {
    for (const viewport of SIZES) {
      for (const [name, path] of [['chats', '/'], ['xray', '/?panel=xray'], ['faults', '/?panel=faults']]) {
        await photograph(path, { colorScheme, viewport }, `${name}-${viewport.width}-${colorScheme}.png`);
      }
    }
  }
} else {
  await photograph('/', { viewport: SIZES[0] }, 'page.jpg');
  await photograph('/?panel=xray', { viewport: SIZES[1], colorScheme: 'dark' }, 'xray.jpg');
}
await browser.close();

/** Lets three customers write, the last one with a wish for a day. */
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

async function photograph(path, options, file) {
  const page = await browser.newPage(options);
  await page.goto(address + path, { waitUntil: 'load' });
  const small = file.endsWith('.jpg') ? { type: 'jpeg', quality: 80 } : {};
  await page.screenshot({ path: join(folder, file), ...small });
  await page.close();
}
