/** Random interactions, the same on every run; the long run is tests/browser/monkey.mjs. */
import { Monkey, seeded } from '../lib/monkey.mjs';

const steps = 100;
const seed = 1;

export function monkey({ test, server, engine }) {
  // One engine: the page's own code is the same in all of them.
  if (engine !== 'chromium') return;
  test(`${steps} random interactions`, async (page) => {
    await page.open(server().site);
    const visitor = new Monkey(page.raw, seeded(seed));
    try {
      for (let step = 0; step < steps; ++step) await visitor.step();
    } catch (error) {
      error.message += `; the last interactions: ${visitor.done.join(' | ')}`;
      throw error;
    }
  }, { refusals: true });
}
