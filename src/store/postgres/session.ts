import type { Client, Notification } from 'pg';
import { stateOf, stateReadOnly } from './errors.ts';

export type SqlValue = string | number | boolean | null | readonly (string | number | boolean | null)[];

/** One connection. Statements that are sent without waiting for each other share a round trip. */
export type Session = Readonly<{
  /** Rejects with the server's own error, or the client library's when the connection broke. */
  ask: <Columns>(sql: string, ...values: SqlValue[]) => Promise<Columns[]>;
  /** Runs what sends several statements; they leave in one piece. */
  together: <Sent>(send: () => Sent) => Sent;
  /** For statements without values; answers with the word by which the server confirms, like COMMIT or ROLLBACK. */
  tell: (sql: string) => Promise<string>;
  onNotification: (listener: (payload: string) => void) => void;
  /** Settles when the connection is gone: with the reason, unless it was ended here. */
  lost: Promise<Error | undefined>;
  end: () => Promise<void>;
}>;

export function createSession(client: Client): Session {
  const lost = new Promise<Error | undefined>((resolve) => {
    client.on('end', () => resolve(undefined));
    // Whoever waits for an answer is told by its own statement; a connection that idles has nobody to tell.
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
        // A server that takes no writes any more has handed them to another, which the next connection looks for.
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
    async tell(sql) {
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

/** Statements are prepared once for each connection, under a name that stands for their text. */
const names = new Map<string, string>();

function nameOf(sql: string): string {
  const known = names.get(sql);
  if (known) return known;
  const name = `bus_${names.size + 1}`;
  names.set(sql, name);
  return name;
}
