// The table at the end. Only ratios within the run travel to other machines.
import { readFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';

export function toMachine() {
  const [processor] = cpus();
  return {
    cores: cpus().length,
    processor: processor?.model ?? 'unknown',
    memoryGigabytes: Math.round(totalmem() / 1_073_741_824),
    disk: readDisk(),
    node: process.version,
    platform: process.platform,
  };
}

/** Where the stores of the run lie: that of the longest mount point above their folder. */
function readDisk() {
  try {
    const mounts = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' '))
      .filter(([, point]) => point !== undefined && isAbove(point, tmpdir()));
    const [device = '', , kind] = mounts.sort((one, other) => other[1].length - one[1].length)[0] ?? [];
    if (device.startsWith('/dev/vd')) return 'virtual disk';
    return device.startsWith('/') ? device : kind || 'unknown disk';
  } catch {
    return 'unknown disk';
  }
}

function isAbove(point, folder) {
  return folder === point || folder.startsWith(point.endsWith('/') ? point : `${point}/`);
}

export function isMet({ ratio, ours, target }) {
  if (!target) return undefined;
  if (target.atLeast !== undefined) return ratio >= target.atLeast;
  if (target.atMost !== undefined) return ratio <= target.atMost;
  if (target.msAtMost !== undefined) return ours.ms <= target.msAtMost;
  return ours.p99 <= target.p99AtMost;
}

export function toTable(sections) {
  const lines = sections.flatMap(({ title, rows }) => ['', title, ...toLines(rows)]);
  return lines.join('\n');
}

function toLines(rows) {
  const cells = [['', 'ours', 'against', 'theirs', 'ratio', 'target'], ...rows.map(toCells)];
  const widths = cells[0].map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  return cells.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column])).join('  ')}`.trimEnd(),
  );
}

function toCells(row) {
  const { name, ours, against = '', theirs, ratio, target } = row;
  const met = { true: '✓', false: '✗ missed', undefined: '' }[isMet(row)];
  const wanted = target ? `${toWanted(target)} ${met}` : '';
  return [
    name,
    toFigures(ours),
    against,
    theirs ? toFigures(theirs) : '',
    ratio ? ratio.toFixed(2) : '',
    wanted,
  ];
}

function toWanted({ atLeast, atMost, msAtMost, p99AtMost }) {
  if (atLeast !== undefined) return `≥ ${atLeast}`;
  if (atMost !== undefined) return `≤ ${atMost}`;
  return msAtMost === undefined ? `p99 ≤ ${p99AtMost} ms` : `≤ ${msAtMost} ms`;
}

function toFigures({ perSecond, p50, p99, ms, megabytes, kilobytes, failures }) {
  const parts = [];
  if (perSecond !== undefined) parts.push(`${Math.round(perSecond).toLocaleString('en')}/s`);
  if (p50 !== undefined) parts.push(`${p50.toFixed(2)} / ${p99.toFixed(2)} ms`);
  if (ms !== undefined) parts.push(`${Math.round(ms)} ms`);
  if (megabytes !== undefined && ms === undefined) parts.push(`${Math.round(megabytes)} MB`);
  if (kilobytes !== undefined) parts.push(`${kilobytes.toFixed(1)} KB`);
  if (failures > 0) parts.push(`${failures} failed`);
  return parts.join(' · ');
}
