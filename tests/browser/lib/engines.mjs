/**
 * The three engines, found where a system keeps them. A missing one is an error that says what to
 * install: a suite that skips an engine in silence would be green for the wrong reason.
 */
import { accessSync, constants, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

function onPath(names) {
  for (const name of names)
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // not here
      }
    }
  return undefined;
}

/** WebKitGTK keeps its browser out of PATH: /usr/lib/<triplet>/webkit2gtk-<version>/MiniBrowser. */
function miniBrowser() {
  const folders = (path) => {
    try {
      return readdirSync(path).map((name) => join(path, name));
    } catch {
      return [];
    }
  };
  return ['/usr/lib', '/usr/libexec', '/usr/lib64']
    .flatMap((lib) => [lib, ...folders(lib)])
    .flatMap((lib) => folders(lib).filter((path) => /\/webkit(2)?gtk-[\d.]+$/.test(path)))
    .map((path) => join(path, 'MiniBrowser'))
    .filter((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    })
    .sort()
    .pop();
}

function found(what, value, install) {
  if (value) return value;
  throw new Error(`${what} is not installed: ${install}`);
}

const chromiumNames = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const firefoxNames = ['firefox-esr', 'firefox'];

/** name → the programs it needs; throws a sentence that says what to install. */
export const programs = {
  chromium: () => ({
    browser: found('Chromium', process.env.CHROMIUM ?? onPath(chromiumNames), 'run "apt-get install chromium", or set CHROMIUM to its path'),
  }),
  firefox: () => ({
    browser: found('Firefox', process.env.FIREFOX ?? onPath(firefoxNames), 'run "apt-get install firefox-esr", or set FIREFOX to its path'),
  }),
  webkit: () => {
    const install = 'run "apt-get install webkit2gtk-driver xvfb xauth"';
    return {
      driver: found('WebKitWebDriver', onPath(['WebKitWebDriver']), install),
      browser: found('MiniBrowser of WebKitGTK', miniBrowser(), install),
      display: found('xvfb-run', onPath(['xvfb-run']), install),
    };
  },
};
