import { agentHeader, fromAgentHeader } from '../contract/agent-header.ts';
import type { Bus, Call } from '../contract/contract.ts';
import { toInvalidInput, waitSecondsOf } from '../contract/input.ts';
import { checkIdempotencyKey } from '../contract/keys.ts';
import { limits } from '../contract/limits.ts';
import type { Answers, Exchange } from './answers.ts';
import { bodyLengthOf, readJson } from './body.ts';
import type { createGuard } from './guard.ts';
import {
  fromBody,
  fromPath,
  fromQuery,
  headerNames,
  type InputObject,
  type Route,
  readQuery,
} from './wire.ts';

export type CallsOptions = Readonly<{
  bus: Bus;
  answers: Answers;
  guard: ReturnType<typeof createGuard>;
  /** Throws a refusal when there is no room for another response to a read. */
  checkRoom: () => void;
}>;

/** What a request asks for besides its body: the path segments that stand for fields, and the query. */
type Asked = Readonly<{ segments: readonly string[]; query: string }>;

export type Serve = (exchange: Exchange, asked: Asked) => void;

/** Turns the requests of one route into calls of the bus. */
export function createCalls({ bus, answers, guard, checkRoom }: CallsOptions) {
  function toServe(route: Route): Serve {
    return route.operation.method === 'GET' ? serveRead(route) : serveWrite(route);
  }

  function serveRead(route: Route): Serve {
    return (exchange, { segments, query }) => {
      const pathInput = fromPath(route, segments);
      checkNoBody(exchange);
      const input = query === '' ? pathInput : { ...fromQuery(route, query), ...pathInput };
      invoke(route, exchange, input, undefined);
    };
  }

  function serveWrite(route: Route): Serve {
    return (exchange, { segments, query }) => {
      const pathInput = segments.length === 0 ? undefined : fromPath(route, segments);
      guard.checkSecret(exchange.request);
      const key = exchange.request.headers[headerNames.idempotencyKey] as string | undefined;
      if (key !== undefined) checkIdempotencyKey(key);
      if (query !== '') checkNoQuery(query);
      readJson(exchange.request, exchange.response, limits.requestBytesMax, (refusal, body) => {
        if (refusal) return answers.refuse(exchange, refusal);
        try {
          const input = fromBody(route, body);
          invoke(route, exchange, pathInput ? Object.assign(input, pathInput) : input, key);
        } catch (error) {
          answers.refuse(exchange, error);
        }
      });
    };
  }

  function invoke(route: Route, exchange: Exchange, input: InputObject, idempotencyKey: string | undefined) {
    const signal = waitSecondsOf(input) > 0 ? toSignal(exchange) : undefined;
    const agent = fromAgentHeader(exchange.request.headers[agentHeader]);
    const isPlain = !signal && idempotencyKey === undefined && agent === undefined;
    const call = isPlain ? plainCall : { signal, idempotencyKey, agent };
    // The input is passed on unchecked, as the caller sent it. The bus checks it, whichever bus that is.
    const operate = bus[route.name] as (input: InputObject, call: Call) => Promise<object>;
    const isRead = route.operation.effect === 'read';
    if (isRead) checkRoom();
    operate(input, call).then(
      (answer) => (isRead ? answers.sendShared(exchange, answer) : answers.send(exchange, 200, answer)),
      (error) => answers.refuse(exchange, error),
    );
  }

  return { toServe };
}

/** A signal that fires when the client disconnects before it got a response, so that its wait ends at once. */
function toSignal(exchange: Exchange): AbortSignal {
  const controller = new AbortController();
  const { response } = exchange;
  response.once('close', () => {
    if (!response.writableEnded) controller.abort();
  });
  return controller.signal;
}

const plainCall: Call = {};

function checkNoBody({ request }: Exchange): void {
  if (bodyLengthOf(request) === 0) return;
  throw toInvalidInput([{ field: 'input', message: 'belongs in the query: a GET takes no body' }]);
}

function checkNoQuery(query: string): void {
  const issues = readQuery(query).map(([field]) => ({
    field,
    message: 'belongs in the JSON body, not in the query',
  }));
  if (issues.length > 0) throw toInvalidInput(issues);
}
