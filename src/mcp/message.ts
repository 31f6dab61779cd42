import type { RpcProblem } from './http-answers.ts';

/**
 * Says what is wrong with the id of a request. An id must come back exactly as it was sent, but numbers beyond 2^53
 * are rounded when they are read. Null, fractions and other values are not valid ids in MCP.
 */
export function findIdProblem(message: unknown): RpcProblem | undefined {
  if (typeof message !== 'object' || message === null || !('id' in message)) return undefined;
  const { id } = message;
  if (typeof id === 'string' || Number.isSafeInteger(id)) return undefined;
  return { code: -32600, message: 'Invalid Request: the id must be a string or a whole number below 2^53' };
}
