import type { Client, Notification } from 'pg';
import { stateOf, stateReadOnly } from './errors.ts';

export type SqlValue = string | number | boolean | null | readonly (string | number | boolean | null)[];

/** One connection. Statements sent without waiting in between share a round trip. */
export type Session = Readonly<{
  /** Rejects with the server's own error, or with the client library's when the connection broke. */
  ask: <Columns>(sql: string, ...values: SqlValue[]) => Promise<Columns[]>;
  /** Sends several statements in one network packet. */
  together: <Sent>(send: () => Sent) => Sent;
  /** For statements without values. Returns the word with which the server confirms, such as COMMIT or ROLLBACK. */
  run: (sql: string) => Promise<string>;
  onNotification: (listener: (payload: string) => void) => void;
  /** Settles when the connection is gone. Gives the reason, unless this process ended it. */
  lost: Promise<Error | undefined>;
  end: () => Promise<void>;
}>;

export function createSession(client: Client): Session {
  const lost = new Promise<Error | undefined>((resolve) => {
    client.on('end', () => resolve(undefined));
    // A statement in progress rejects by itself. An idle connection has nobody to report to.
    client.on('error', (error) => {
      resolve(error);
      client.end().catch(() => {});
    });
  });

  return {
    async ask<Columns>(sql: string, ...values: SqlValue[]): Promise<Columns[]> {
      try {
        const { rows } = await client.query({ name: nameOf(sql), text: sql, values });
        return rows as Columns[];
      } catch (error) {
        // A server that no longer accepts writes has been replaced by another one. The next connection finds it.
        if (stateOf(error) === stateReadOnly) client.end().catch(() => {});
        throw error;
      }
    },
    together(send) {
      const { stream } = client.connection;
      stream.cork();
      try {
        return send();
      } finally {
        stream.uncork();
      }
    },
    async run(sql) {
      const { command } = await client.query(sql);
      return command;
    },
    onNotification(listener) {
      client.on('notification', ({ payload }: Notification) => listener(payload ?? ''));
    },
    lost,
    end: () => client.end(),
  };
}

/** Each connection prepares a statement once, under a name derived from its text. */
const names = new Map<string, string>();

function nameOf(sql: string): string {
  const known = names.get(sql);
  if (known) return known;
  const name = `bus_${names.size + 1}`;
  names.set(sql, name);
  return name;
}
