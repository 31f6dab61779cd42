import type { Bus, ErrorCode, OperationName, ParsedInput } from './operations.js';

export * from './client.js';

export interface OpenBusOptions {
  /** Where the rows are kept: the path of a file, or `postgres://…`, which needs the package `pg`. */
  readonly store: string;
  /** Longer leases are granted as this; 86400 when left out. */
  readonly leaseSecondsMax?: number | undefined;
  /** Goes on after acknowledged rows were lost, with ids and fences above them. */
  readonly acceptLoss?: boolean | undefined;
  /** Also serves it over HTTP. A host that other machines can reach is refused without a write secret. */
  readonly listen?: ListenOptions | undefined;
  /** Where what goes wrong is told; nowhere when left out. */
  readonly log?: Logger | undefined;
}

export interface ListenOptions {
  /** `127.0.0.1` when left out. */
  readonly host?: string | undefined;
  /** 8100 when left out; 0 takes any free one. */
  readonly port?: number | undefined;
  /** Writes over HTTP must carry it. */
  readonly writeSecret?: string | undefined;
  /** Names in `Host` and `Origin` that are accepted beside the loopback ones and the host. */
  readonly allowedHosts?: readonly string[] | undefined;
}

/** What pino offers, as far as it is used. */
export interface Logger {
  info(data: object, message: string): void;
  warn(data: object, message: string): void;
  error(data: object, message: string): void;
}

export interface OpenedBus extends Bus {
  /** Where the rows are: a path, or a URL without its password. */
  readonly location: string;
  /** The base path for clients, if it listens: `http://127.0.0.1:8100/api/bus`. */
  readonly baseUrl: string | undefined;
  /** Finishes what runs and lets go of the rows. Whoever waits is answered with `unavailable`. */
  close(): Promise<void>;
}

/**
 * A bus in this process. One process at a time opens a file: a second one is refused, and told who has it.
 *
 * Rejects with a sentence that says what to do.
 */
export function openBus(options: OpenBusOptions): Promise<OpenedBus>;

/** Everything the bus can do, as it is declared. */
export const contract: { readonly [Name in OperationName]: Operation };

export interface Operation {
  readonly title: string;
  readonly summary: string;
  /** For agents: when to use it, and what to do on a conflict. */
  readonly guidance: string;
  readonly method: 'GET' | 'POST';
  /** Below the base path; `{field}` names an input field that travels in the path. */
  readonly path: string;
  /** What repeating a call does: nothing at all, nothing more, or the same again. */
  readonly effect: 'read' | 'idempotent' | 'append';
  /** The refusals of its own. */
  readonly errors: readonly ErrorCode[];
}

/** The input with its defaults. Throws the `BusError` `invalid_input`, which names each bad field. */
export function parseInput<Name extends OperationName>(name: Name, input: unknown): ParsedInput<Name>;

/** Every way a call can be refused, by its code. */
export const errorTable: {
  readonly [Code in ErrorCode]: {
    readonly status: number;
    /** What happened. */
    readonly meaning: string;
    /** What to do. */
    readonly next: string;
  };
};

/** Of this package. */
export const version: string;
