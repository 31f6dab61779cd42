import { z } from 'zod';

type ErrorEntry = Readonly<{ status: number; meaning: string; next: string; data: z.ZodObject }>;

const nothing = z.looseObject({});
const conflict = z.looseObject({
  path: z.string(),
  lane: z.string(),
  owner: z.string(),
  held_path: z.string(),
  expires_in_s: z.number(),
  note: z.string().optional(),
  is_next: z.literal(true).optional(),
});
const retryable = z.looseObject({ retry_after_s: z.number() });

/**
 * Every way a call can be refused. The key is the stable `code` on the wire; programs branch on it and on `data`,
 * never on the sentence or the status.
 */
export const errorTable = {
  lane_held: {
    status: 409,
    meaning: 'Another owner holds the lane under a live lease.',
    next: 'Wait for it with wait_s, or claim another lane.',
    data: z.looseObject({
      lane: z.string(),
      owner: z.string(),
      expires_in_s: z.number(),
      fence: z.number(),
      waiters: z.number(),
      note: z.string().optional(),
      /** The lane is free, and goes to this owner, who came before. */
      is_next: z.literal(true).optional(),
      blocked_by: z.array(z.string()).optional(),
    }),
  },
  paths_held: {
    status: 409,
    meaning: 'Another owner holds a path that the claim asks for, or came before and waits for it.',
    next: 'Wait with wait_s, claim other paths, or ask the owner.',
    data: z.looseObject({ conflicts: z.array(conflict), blocked_by: z.array(z.string()) }),
  },
  not_holder: {
    status: 409,
    meaning: 'The caller does not hold the lane live.',
    next: 'Claim the lane again before going on with its work.',
    data: z.looseObject({
      lane: z.string(),
      owner: z.string().nullable(),
      expires_in_s: z.number(),
    }),
  },
  not_your_session: {
    status: 409,
    meaning: 'The session is not one of the agent that the call names.',
    next: 'Go on as the agent that the session has, or use a session of your own.',
    data: z.looseObject({ agent: z.string(), session_agent: z.string().nullable() }),
  },
  stale_fence: {
    status: 409,
    meaning: 'The fence is not the current one of the lane: the lane was granted again since.',
    next: 'Stop the work under the old fence, and claim the lane again.',
    data: z.looseObject({ lane: z.string(), fence: z.number() }),
  },
  invalid_input: {
    status: 422,
    meaning: 'The input does not fit the operation. Nothing was kept.',
    next: 'Fix each field that is named, and send it again.',
    data: z.looseObject({
      issues: z.array(z.looseObject({ field: z.string(), message: z.string() })),
    }),
  },
  idempotency_conflict: {
    status: 422,
    meaning: 'Another request used the idempotency key within 24 hours.',
    next: 'Use a new key for a new request.',
    data: z.looseObject({ key: z.string() }),
  },
  unauthorized: {
    status: 401,
    meaning: 'Writes need the write secret, and it is missing or wrong.',
    next: 'Set BUS_WRITE_SECRET to the secret of the bus.',
    data: nothing,
  },
  forbidden_origin: {
    status: 403,
    meaning: 'The Host or Origin of the request is not one the bus accepts.',
    next: 'Use the address the bus printed, or add the host to BUS_ALLOWED_HOSTS.',
    data: nothing,
  },
  not_found: {
    status: 404,
    meaning: 'There is no such route, or no such message.',
    next: 'Check the path or the id.',
    data: nothing,
  },
  cursor_expired: {
    status: 410,
    meaning: 'What came right after the cursor was pruned.',
    next: 'Read on from the oldest message that is kept (oldest_id - 1). What was between is gone.',
    data: z.looseObject({ oldest_id: z.number() }),
  },
  too_large: {
    status: 413,
    meaning: 'The request is larger than the bus reads.',
    next: 'Send less: store the text elsewhere and post where it is.',
    data: z.looseObject({ limit_bytes: z.number() }),
  },
  too_many: {
    status: 429,
    meaning: 'As many as the bus takes are there already: waiters, readers that wait, streams or held lanes.',
    next: 'Give some back, or repeat the call after retry_after_s seconds.',
    data: z.looseObject({ limit: z.number(), retry_after_s: z.number() }),
  },
  unavailable: {
    status: 503,
    meaning:
      'The store cannot take the call now. Nothing was kept, unless the detail says that this is not known.',
    next: 'Repeat the call after retry_after_s seconds.',
    data: retryable,
  },
  internal: {
    status: 500,
    meaning: 'The bus failed in a way that nobody foresaw. The cause is in its log.',
    next: 'Repeat the call once. If it fails again, read the log of the bus.',
    data: nothing,
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorTable;

export type ErrorData<Code extends ErrorCode> = z.input<(typeof errorTable)[Code]['data']>;

/** What the bus answered instead of doing the operation. `code` is absent when a foreign bus gave none. */
export class BusError extends Error {
  readonly status: number;
  readonly detail: string;
  readonly code: string | undefined;
  readonly data: Readonly<Record<string, unknown>> | undefined;

  constructor(
    answer: Readonly<{
      status: number;
      detail: string;
      code?: string | undefined;
      data?: Readonly<Record<string, unknown>> | undefined;
    }>,
  ) {
    super(answer.detail);
    this.name = 'BusError';
    this.status = answer.status;
    this.detail = answer.detail;
    this.code = answer.code;
    this.data = answer.data;
  }
}

/** No bus answered at the address: refused, timed out, no such host, malformed URL. */
export class BusUnreachableError extends Error {
  readonly url: string;

  constructor(message: string, url: string) {
    super(message);
    this.name = 'BusUnreachableError';
    this.url = url;
  }
}

/** A refusal with the status that its code has in the table. */
export function toBusError<Code extends ErrorCode>(
  code: Code,
  detail: string,
  data: ErrorData<Code>,
): BusError {
  return new BusError({ status: errorTable[code].status, detail, code, data });
}

/** Whether this is the refusal with that code. */
export function isRefusal(error: unknown, code: ErrorCode): error is BusError {
  return error instanceof BusError && error.code === code;
}
