import type { RpcProblem } from './http-answers.ts';

/**
 * Says what is wrong with the id of a request: it must come back exactly as it was sent. A number beyond 2^53 is
 * rounded when it is read, and null, fractions and other values are no ids in MCP.
 */
export function findIdProblem(message: unknown): RpcProblem | undefined {
  if (typeof message !== 'object' || message === null || !('id' in message)) return undefined;
  const { id } = message;
  if (typeof id === 'string' || Number.isSafeInteger(id)) return undefined;
  return { code: -32600, message: 'Invalid Request: the id must be a string or a whole number below 2^53' };
}
