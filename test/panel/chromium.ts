import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

/** The names that CI looks for too, before it installs one. */
const usualNames = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Where those are that are on nobody's path. */
const usualPlaces = [
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

export const noChromium =
  'no Chromium was found: install one (Debian: apt-get install chromium) or set CHROME_PATH to it';

/** The Chromium of this machine: the one that CHROME_PATH names, else one on the path, else one at a usual place. */
export function findChromium(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const { CHROME_PATH: named, PATH: path = '' } = environment;
  if (named) return existsSync(named) ? named : undefined;
  const folders = path.split(delimiter).filter((folder) => folder !== '');
  const onPath = usualNames.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...onPath, ...usualPlaces].find((place) => existsSync(place));
}

/** A Chromium without a window, which asks nobody on the network for anything. */
export function launchChromium(executablePath: string): Promise<Browser> {
  const quiet = [
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ];
  // Its sandbox needs another user than root.
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath, args: [...quiet, ...sandbox] });
}
