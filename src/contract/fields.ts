import { z } from 'zod';
import { toLaneNameFault } from './lane-names.ts';
import { laneNamePattern, limits } from './limits.ts';

/** A string that every store can keep and every encoding can carry. */
function text(charactersMax: number) {
  return z
    .string()
    .min(1)
    .max(charactersMax)
    .refine((value) => !value.includes('\u0000') && value.isWellFormed(), {
      error: 'must not contain NUL or half of a surrogate pair',
    });
}

export const laneName = z.string().regex(laneNamePattern, { error: ({ input }) => toLaneNameFault(input) });
export const noteText = text(limits.noteCharactersMax);
/** A pattern over slash paths; see `docs/protocol.md` for what it covers. */
export const scopePath = text(limits.pathCharactersMax).refine((path) => !scopeProblemOf(path), {
  error: (issue) => scopeProblemOf(String(issue.input)) ?? 'is no path',
});
export const scopePaths = z.array(scopePath).max(limits.pathsMax);
export const agentId = text(limits.agentIdCharactersMax);
export const sessionKey = text(limits.sessionKeyCharactersMax);
export const clientName = text(limits.clientNameCharactersMax);
export const placeName = text(limits.placeCharactersMax);
export const topicName = text(limits.topicCharactersMax);
export const bodyText = text(limits.bodyCharactersMax);
export const rowId = z.int().min(1);
export const cursorId = z.int().min(0);
export const pageLimit = z.int().min(1).max(limits.pageRowsMax).default(limits.pageRowsDefault);
export const waitSeconds = z.number().min(0).max(limits.waitSecondsMax).default(0);
export const leaseSeconds = z.int().min(1).default(limits.leaseSecondsDefault);
export const fenceNumber = z.int().min(0);

export const rowCount = z.int().min(0);
/** A moment that a caller names, with its offset from UTC. */
export const isoTime = z
  .string()
  .refine((value) => isoTimePattern.test(value) && !Number.isNaN(Date.parse(value)), {
    error: 'must be a time with its zone, as in 2026-01-31T00:00:00Z',
  });
const isoTimePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

function scopeProblemOf(path: string): string | undefined {
  if (path.startsWith('!'))
    return 'must not begin with !: there are no exceptions, so claim what you need path by path';
  if (path.includes('?')) return 'must not contain ?: write * for any part of one name';
  if (path.includes('\\')) return 'must not contain a backslash: separate names with /';
  const segments = path.split('/');
  if (segments.includes('..'))
    return 'must not contain the segment ..: name the path from the top of its repository';
  if (segments.includes('.'))
    return 'must not contain the segment .: name the path from the top of its repository';
  if (segments.includes(''))
    return 'must not begin or end with /, or contain //: name the path from the top of its repository';
  return undefined;
}

/** ISO 8601 in UTC with milliseconds. */
export const timestamp = z.string();
