import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

/** What is sent, as it is and packed. */
export type Content = Readonly<{ plain: Buffer; gzipped: Buffer }>;

/** A file of the page, named after its content so that a browser may keep it for good. */
export type PanelAsset = Content & Readonly<{ name: string; contentType: string }>;

export type PanelAssets = Readonly<{ script: PanelAsset; style: PanelAsset }>;

/** The files that the build left for the browser. */
export function readPanelAssets(folder: URL): PanelAssets {
  return {
    script: readAsset(folder, 'app', 'js', 'text/javascript; charset=utf-8'),
    style: readAsset(folder, 'style', 'css', 'text/css; charset=utf-8'),
  };
}

export function toContent(plain: Buffer): Content {
  return { plain, gzipped: gzipSync(plain, { level: 9 }) };
}

function readAsset(folder: URL, name: string, extension: string, contentType: string): PanelAsset {
  const plain = readFileSync(new URL(`${name}.${extension}`, folder));
  const hash = createHash('sha256').update(plain).digest('hex').slice(0, 12);
  return { name: `${name}-${hash}.${extension}`, contentType, ...toContent(plain) };
}
