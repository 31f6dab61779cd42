import { type Check, toCount } from '../care/check.ts';
import type { Filled } from '../care/fill.ts';
import type { Invocation } from '../cli/command.ts';
import { UsageError } from '../cli/config.ts';
import { exitStatus } from '../cli/failure.ts';
import { toTable } from '../cli/table.ts';
import { toJsonLine, toVisible } from '../cli/visible.ts';
import { parseKind } from '../store/open-transfer.ts';
import { answer, toProgress } from './care-answers.ts';

/** The code that runs the commands about the data. */

export async function runBackup(invocation: Invocation): Promise<number> {
  const { config, operands } = invocation;
  const store = toFile(config.store, 'pg_dump makes backups of PostgreSQL; bus-mcp copy makes a file of it');
  const { backUp } = await import('../care/backup.ts');
  const { file, bytes, messages, lastMessageId } = await backUp(
    { store, file: operands[0] ?? '' },
    toProgress(invocation),
  );
  return await answer(
    invocation,
    { file, bytes, messages, last_message_id: lastMessageId },
    `backed up ${toCount(messages, 'message')} (up to #${lastMessageId}) to ${file}, ${toSize(bytes)}, verified`,
  );
}

export async function runRestore(invocation: Invocation): Promise<number> {
  const { config, flags, operands } = invocation;
  const store = toFile(config.store, 'bus-mcp copy brings a file into an empty PostgreSQL');
  const { restore } = await import('../care/restore.ts');
  const resetsClock = flags.resetClock === true;
  const asked = { store, file: operands[0] ?? '', now: new Date(), resetsClock };
  const done = await restore(asked, toProgress(invocation));
  const lines = [
    `restored ${toCount(done.messages, 'message')} to ${done.store}; the next one gets #${done.nextMessageId}`,
    ...(done.missingMessages > 0
      ? [`${toCount(done.missingMessages, 'message')} came after the backup and are not in it`]
      : []),
    ...(done.replaced === undefined ? [] : [`what was there is kept in ${done.replaced}`]),
  ];
  const { store: where, replaced, messages, nextMessageId, missingMessages } = done;
  const facts = { store: where, replaced, messages };
  return await answer(
    invocation,
    { ...facts, next_message_id: nextMessageId, missing_messages: missingMessages },
    lines.join('\n'),
  );
}

export async function runVerify(invocation: Invocation): Promise<number> {
  const { config, flags, operands, terminal } = invocation;
  const { verifyStore } = await import('../care/verify.ts');
  const { ok, store, checks } = await verifyStore(operands[0] ?? config.store, toProgress(invocation));
  if (flags.json === true) await terminal.print(toJsonLine({ ok, store, checks }));
  else await terminal.print([toVisible(store), ...toCheckLines(checks)].join('\n'));
  return ok ? exitStatus.done : exitStatus.refused;
}

export async function runExport(invocation: Invocation): Promise<number> {
  const { flags } = invocation;
  if (flags.output === undefined) return await exportToTerminal(invocation);
  const { createNewFile } = await import('../care/new-file.ts');
  const file = createNewFile(String(flags.output));
  try {
    const counts = await writeExport(invocation, async (text) => file.append(text));
    file.finish();
    const { messages, events, lanes } = counts;
    const rest = flags.format === 'csv' ? '' : `, ${toCount(events, 'event')} and ${toCount(lanes, 'lane')}`;
    return await answer(
      invocation,
      { file: file.path, ...counts },
      `exported ${toCount(messages, 'message')}${rest} to ${file.path}`,
    );
  } finally {
    file.abandon();
  }
}

export async function runImport(invocation: Invocation): Promise<number> {
  const { importFile } = await import('../care/import.ts');
  const asked = { file: invocation.operands[0] ?? '', store: invocation.config.store };
  const { store, rows } = await importFile(asked, toProgress(invocation));
  return await answer(invocation, { store, ...rows }, `imported ${toRowText(rows)} into ${store}`);
}

export async function runCopy(invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation;
  const { copyStore } = await import('../care/copy.ts');
  const { from, to, rows } = await copyStore(
    { from: String(flags.from), to: String(flags.to), warn: (sentence) => terminal.remark(sentence) },
    toProgress(invocation),
  );
  return await answer(
    invocation,
    { from, to, ...rows },
    `copied ${toRowText(rows)} and ${toCount(rows.answers, 'idempotency key')} from ${from} to ${to}, compared row by row`,
  );
}

function toFile(store: string, instead: string): string {
  if (parseKind(store) === 'sqlite') return store;
  throw new UsageError(`this is for a database in a file, and BUS_STORE names PostgreSQL: ${instead}`);
}

function toCheckLines(checks: readonly Check[]): readonly string[] {
  const rows = checks.map(({ name, ok, finding }) => [ok ? 'ok' : 'FAIL', name, toVisible(finding)]);
  const [, ...lines] = toTable(['', '', ''], rows);
  return lines;
}

async function exportToTerminal(invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation;
  const isShown = process.stdout.isTTY === true && flags.format === 'csv';
  const reader = new Error('nobody reads the export any longer');
  try {
    await writeExport(invocation, async (text) => {
      if (terminal.closed.aborted) throw reader;
      const line = text.replace(/\n$/, '');
      await terminal.print(isShown ? toVisible(line.replaceAll('\r\n', '\n'), { keepLines: true }) : line);
    });
  } catch (error) {
    if (error !== reader) throw error;
  }
  return exitStatus.done;
}

async function writeExport(invocation: Invocation, write: (text: string) => Promise<void>) {
  const { actions, config, flags } = invocation;
  const { exportBus } = await import('../care/export.ts');
  const bus = await actions.openBus(config);
  try {
    const topic = flags.topic === undefined ? undefined : String(flags.topic);
    const format = flags.format === 'csv' ? 'csv' : 'jsonl';
    const options = { bus, format, topic, write, toJson: toJsonLine, now: new Date() } as const;
    return await exportBus(options, toProgress(invocation));
  } finally {
    await bus.close();
  }
}

function toRowText({ messages, events, lanes }: Filled): string {
  return `${toCount(messages, 'message')}, ${toCount(events, 'event')}, ${toCount(lanes, 'lane')}`;
}

function toSize(bytes: number): string {
  if (bytes < 1_000_000) return `${Math.ceil(bytes / 1_000)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
