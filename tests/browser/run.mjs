#!/usr/bin/env node
/**
 * Runs the browser tests: every flow in Chromium and Firefox, the core ones in WebKit, one process
 * per engine. Arguments choose engines: "run.mjs firefox". The last line counts the tests: "N passed, N failed".
 */
import { spec } from 'node:test/reporters';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';
import { programs } from './lib/engines.mjs';

const engines = process.argv.slice(2).length ? process.argv.slice(2) : Object.keys(programs);
let passed = 0;
let failed = 0;

const files = [];
for (const engine of engines) {
  try {
    if (!programs[engine]) throw new Error(`unknown engine "${engine}": choose from ${Object.keys(programs).join(', ')}`);
    programs[engine]();
    files.push(fileURLToPath(new URL(`./${engine}.test.mjs`, import.meta.url)));
  } catch (error) {
    console.log(`✖ ${engine}: ${error.message}`);
    failed += 1;
  }
}

const isTest = (event) => event.details.type !== 'suite' && !files.includes(event.name);
const stream = run({ files, concurrency: 2, timeout: 40 * 60_000 });
stream.on('test:pass', (event) => {
  // A skipped test is one that did not happen.
  if (event.skip !== undefined || event.todo !== undefined) failed += 1;
  else if (isTest(event)) passed += 1;
});
stream.on('test:fail', (event) => {
  // A failed suite repeats the failures of its tests, unless it broke outside of them.
  if (isTest(event) || event.details.error?.failureType === 'hookFailed') failed += 1;
});
stream.compose(new spec()).pipe(process.stdout);
stream.on('end', () => {
  process.exitCode = failed ? 1 : 0;
  process.on('exit', () => console.log(`\n${passed} passed, ${failed} failed`));
});
