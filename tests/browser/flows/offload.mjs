/** The tab オフロード: the paper's machine and model, what a slider moves, what is missing. */
import assert from 'node:assert/strict';
import { eventually } from '../lib/meyasu.mjs';

const paper = 'tab=off;m=facebook/opt-175b;g=t4;ram=208;rc=ddr4-2933-6ch;sd=nvme-pcie3-x4;sf=1610';

export function offload({ alike, test, sources }) {
  /** Opened, and the plan there: it is made in a worker. */
  async function open(page, fragment) {
    await page.open(`${sources.file()}#v1;${fragment}`);
    await settled(page);
  }
  const settled = (page) => eventually('the plan and what follows it', () => page.evaluate(() => document.getElementById('panel-off')?.dataset.settled !== undefined));
  const speed = async (page) => Number((await page.text('#off-speed .verdict-number')).replace(/[^\d.]/g, ''));
  /** What the sentence beside a field says, once there is one. */
  const refusal = (page, id) =>
    eventually(`a sentence beside ${id}`, () => page.evaluate((name) => document.getElementById(`${name}-error`).textContent, id));

  test('OPT-175B on the T4: the speed of the paper, its tiers, the binding path', async (page) => {
    await open(page, `${paper};ob=256`);
    assert.equal(await speed(page), 0.66);
    assert.match(await page.text('#off-answer'), /SSD → RAM/);
    assert.match(await page.text('#panel-off'), /612\.0/);
    assert.match(await page.text('.others'), /Accelerate/);
    assert.match(await page.text('.what-if'), /4-bit/);
    assert.match(await page.text('.what-if'), /PCIe を 5\.0/);
  });

  test('the speed and a term open their formula and their source', async (page) => {
    await open(page, `${paper};ob=256`);
    await page.click('#off-speed');
    assert.match(await page.text('dialog[open]'), /T_prefill/);
    assert.match(await page.text('dialog[open]'), /2303\.06865/);
    await page.press('Escape');
    await page.click('#term-disk-kv_cache');
    assert.match(await page.text('dialog[open]'), /kv_elements/);
  });

  test('the searches run beside the page, from disk and from a server', async (page) => {
    for (const source of [sources.file(), sources.http()]) {
      await page.open(`${source}#v1;${paper};ob=256`);
      await settled(page);
      // Set where a browser starts no worker and the page had to do it itself.
      assert.equal(await page.evaluate(() => document.getElementById('panel-off').dataset.searches), 'worker');
    }
  });

  test('without a disk the missing GiB are the answer; bad input gets a sentence', async (page) => {
    await open(page, 'tab=off;m=facebook/opt-175b;g=t4;ram=64;sd=');
    assert.match(await page.text('#off-verdict'), /動きません/);
    assert.match(await page.text('#off-answer'), /GiB 足りません/);
    await open(page, `${paper};ob=256`);
    await page.fill('#off-ob', '0');
    await page.press('Enter');
    assert.match(await refusal(page, 'off-ob'), /1 以上/);
    assert.equal(await speed(page), 0.66, 'the answer before it stays');
    assert.equal(await page.value('#off-ob'), '0', 'what was typed stays');
    await page.fill('#off-ob', '256');
    await page.fill('#off-og', '0');
    await page.press('Enter');
    assert.match(await refusal(page, 'off-og'), /1 以上/);
    await open(page, `${paper};oz=0 100 100`);
    assert.match(await refusal(page, 'off-oz'), /6 つ/);
    await open(page, paper.replace('sf=1610', 'sf=0'));
    assert.match(await refusal(page, 'off-disk'), /0 より大きい/);
    await open(page, paper.replace('ram=208', 'ram=9'));
    assert.match(await page.text('#off-answer'), /RAM は 9\.6 GiB 以上/);
  });

  test('typed at once on opening, nothing is lost', async (page) => {
    await page.open(`${sources.file()}#v1;${paper};ob=256`);
    await page.fill('#off-ob', '64');
    await eventually('the plan of 64', async () => /64 本/.test(await page.text('#off-answer')));
    await settled(page);
    assert.equal(await page.value('#off-ob'), '64');
  });

  test('a slider moves the plan', async (page) => {
    await open(page, `${paper};ob=256`);
    const before = await page.text('#off-answer');
    await page.evaluate(() => {
      const slider = document.getElementById('off-ram');
      for (const value of ['9', '10', '11', '12']) {
        slider.value = value;
        slider.dispatchEvent(new Event('input', { bubbles: true }));
      }
    });
    await eventually('another plan', async () => (await page.text('#off-answer')) !== before);
    await settled(page);
    assert.match(await page.text('#bar-machine'), /1,?024/);
    // What a GPU can give is in GiB; RAM and disks are called as they are sold.
    assert.match(await page.attribute('#off-gpu', 'aria-valuetext'), /^\d+\sGiB$/);
    assert.match(await page.attribute('#off-ram', 'aria-valuetext'), /^1024\sGB$/);
  });

  test('an answer that comes late is shown with its own question, whatever is typed by then', async (page) => {
    await page.open(`${sources.http()}#v1`);
    await page.evaluate(() => {
      // Answers take their time, as on a busy machine.
      const { set, ...rest } = Object.getOwnPropertyDescriptor(MessagePort.prototype, 'onmessage');
      const late = (listener) => (event) => setTimeout(() => listener(event), 300);
      Object.defineProperty(MessagePort.prototype, 'onmessage', { ...rest, set(listener) { set.call(this, late(listener)); } });
    });
    await page.click('#tab-off');
    const answer = () => page.evaluate(() => document.getElementById('off-answer')?.textContent ?? '');
    await eventually('the first answer', async () => / 32 トークン/.test(await answer()));
    await page.evaluate(async () => {
      const field = document.getElementById('off-og');
      for (const value of ['33', 'abc']) {
        field.value = value;
        field.dispatchEvent(new Event('input', { bubbles: true }));
        for (let frames = 0; frames < 2; frames += 1) await new Promise((resolve) => requestAnimationFrame(resolve));
      }
    });
    await eventually('another answer', async () => !/ 32 トークン/.test(await answer()));
    assert.match(await answer(), / 33 トークン/);
    await eventually('its sentence', async () => (await page.text('#off-og-error')) !== '');
  });

  alike('a known case sets everything and gives back what was there', async (page) => {
    await open(page, 'tab=off;ob=4');
    const before = await page.text('#bar-machine-name');
    const choose = (id) =>
      page.evaluate((value) => {
        const select = document.getElementById('off-preset');
        select.value = value;
        select.dispatchEvent(new Event('change', { bubbles: true }));
      }, id);
    await choose('t4-30b');
    await eventually('the case', async () => /7\.3/.test(await page.text('#off-answer')));
    assert.match(await page.text('#bar-machine-name'), /T4/);
    await choose('free-1.3b');
    await eventually('just too small', async () => /RAM が 0\.\d GiB 足りません/.test(await page.text('#off-answer')));
    await choose('free-350m');
    await eventually('why FlexGen refuses it', async () => /word_embed_proj_dim/.test(await page.text('#off-answer')));
    await page.click('#off-back');
    await eventually('mine again', async () => (await page.text('#bar-machine-name')) === before);
    await eventually('my number', async () => (await page.value('#off-ob')) === '4');
    assert.match(await page.text('#bar-model-name'), /Llama-3\.1-8B.*例/, 'the bar names the example again');
  });

  alike('one sequence: every program with its placement, a formula behind the number', async (page) => {
    await open(page, paper.replace('opt-175b', 'opt-30b'));
    await eventually('the programs', async () => /ZeRO-Inference（NVMe）/.test(await page.text('#off-latency')));
    assert.match(await page.text('#off-latency'), /llama\.cpp（Q4_K_M）/);
    await page.click('#off-latency div:nth-of-type(4) button');
    assert.match(await page.text('dialog[open]'), /Q_cpu/);
    await open(page, paper.replace('ram=208', 'ram=64'));
    await eventually('what is short', async () => /RAM が .*GiB.* 足りません/.test(await page.text('#off-latency')));
    await open(page, 'tab=off;m=meta-llama/Llama-3.1-70B;g=m4-max-40');
    assert.match(await page.text('#off-answer'), /同じメモリ/);
    await eventually('llama.cpp alone', async () => /tok\/s/.test(await page.text('#off-latency')) && !/ZeRO/.test(await page.text('#off-latency')));
  });
}
