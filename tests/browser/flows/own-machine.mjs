/** What the browser tells about the visitor's machine is offered as a guess, and taken only when pressed. */
import assert from 'node:assert/strict';
import { eventually } from '../lib/meyasu.mjs';

/**
 * Another computer, as its browser describes it.
 * @typedef {object} Computer
 * @property {string} [platform]
 * @property {number} [ram] GiB; browsers say 8 for 8 and more
 * @property {string} [webgl] the name of the renderer; empty: kept back; missing: there is no WebGL
 * @property {string} [webgpu] the description of the adapter
 */

/** Runs in the page, before its own scripts. @param {Computer} computer */
function pretend({ platform = '', ram, webgl, webgpu }) {
  const tell = (name, value) => Object.defineProperty(navigator, name, { get: () => value });
  tell('platform', platform);
  tell('userAgentData', undefined);
  tell('deviceMemory', ram);
  tell('gpu', webgpu && { requestAdapter: async () => ({ info: { vendor: 'nvidia', device: '', description: webgpu } }) });
  const names = { UNMASKED_RENDERER_WEBGL: 0x9246 };
  const context = {
    getExtension: (name) => (name === 'WEBGL_debug_renderer_info' && webgl ? names : null),
    getParameter: (what) => (what === names.UNMASKED_RENDERER_WEBGL ? webgl : null),
  };
  const real = HTMLCanvasElement.prototype.getContext;
  HTMLCanvasElement.prototype.getContext = /** @type {any} */ (
    function (kind, ...rest) {
      if (kind !== 'webgl') return real.call(this, kind, ...rest);
      return webgl === undefined ? null : context;
    }
  );
}

export function ownMachine({ test, server }) {
  /** The list of devices, on that computer; in the link stands another one. */
  const open = async (page, computer) => {
    await page.raw.beforeEach(pretend, computer);
    await page.open(`${server().site}#v1;tab=infer;g=rtx-5090;ram=96`);
    await page.click('#bar-machine');
    await eventually('the guess is made', () => page.evaluate(() => document.querySelector('.machine-guess .row') !== null));
    return page.evaluate(() => [...document.querySelectorAll('.machine-guess button')].map((button) => button.textContent.replace(/\s+/g, ' ')));
  };
  const take = async (page, name, link) => {
    await page.showsText('#bar-machine-name', 'RTX 5090');
    await page.evaluate((text) => {
      const button = [...document.querySelectorAll('.machine-guess button')].find((one) => one.textContent.replace(/\s+/g, ' ') === text);
      /** @type {HTMLElement} */ (button).click();
    }, name);
    await page.showsText('#bar-machine-name', name);
    await eventually(link, () => page.evaluate((parts) => parts.split(' ').every((part) => decodeURIComponent(location.hash).split(';').includes(part)), link));
  };

  test('a GPU sold in two sizes: both are offered, the pressed one is taken with RAM and system', async (page) => {
    const webgl = 'ANGLE (NVIDIA, NVIDIA GeForce RTX 4060 Ti (0x00002803) Direct3D11 vs_5_0 ps_5_0, D3D11)';
    assert.deepEqual(await open(page, { platform: 'Win32', ram: 4, webgl }), ['RTX 4060 Ti 16 GB', 'RTX 4060 Ti 8 GB']);
    assert.match(await page.text('.machine-guess'), /かもしれません/);
    await take(page, 'RTX 4060 Ti 8 GB', 'g=rtx-4060-ti-8gb~d1 os=windows ram=4');
  });

  test('a Mac: its chip is offered; 8 GiB may be any more, so the RAM that was typed stays', async (page) => {
    const webgl = 'ANGLE (Apple, ANGLE Metal Renderer: Apple M2 Pro, Unspecified Version)';
    const [name, ...others] = await open(page, { platform: 'MacIntel', ram: 8, webgl });
    assert.match(name, /M2 Pro/);
    assert.deepEqual(others, []);
    await take(page, name, 'g=m2-pro~d1 ram=96');
    assert.doesNotMatch(await page.evaluate(() => location.hash), /os=/);
  });

  test('a browser with WebGPU alone, which does not tell the RAM', async (page) => {
    assert.deepEqual(await open(page, { platform: 'Linux x86_64', webgpu: 'NVIDIA GeForce RTX 3090' }), ['RTX 3090 24 GB']);
    await take(page, 'RTX 3090 24 GB', 'g=rtx-3090~d1 os=linux ram=96');
  });

  for (const [what, computer] of /** @type {[string, Computer][]} */ ([
    ['graphics without a GPU', { platform: 'Linux x86_64', ram: 8, webgl: 'ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device (Subzero)), SwiftShader driver)' }],
    ['a browser that keeps the name back', { platform: 'Win32', webgl: '' }],
    ['a browser that tells nothing', {}],
  ]))
    test(`no guess: ${what}`, async (page) => {
      assert.deepEqual(await open(page, computer), []);
      assert.equal(await page.text('.machine-guess'), '', 'not a word about a guess');
      await page.showsText('#bar-machine-name', 'RTX 5090');
    });
}
