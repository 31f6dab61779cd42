import { findShellSession } from '../client-side/innermost.ts';
import { joinBus } from '../client-side/join.ts';
import type { Operation } from '../contract/operation.ts';
import type { Invocation, OpenedBus } from './command.ts';
import { toLoginName } from './folders.ts';

type Fields = Record<string, unknown>;
type OpenBus = () => Promise<OpenedBus>;

/** The input with the caller filled in, and the id that was used for that, if any. */
type Called = Readonly<{ input: Fields; caller?: string | undefined }>;

/**
 * Fills in the caller where the call does not name one: the person who is logged in, or the agent whose shell this is.
 *
 * This is the only place that knows who runs a command. Outside an agent's shell, and without `BUS_MCP_AGENT_ID`, each
 * command counts as an agent of its own. Such an agent may post, but must not hold a lane, because the next command
 * could not release it. In that case `owner` is left out, and the input check refuses the call.
 */
export async function fillInCaller(
  { agentField, personField, readerField }: Operation,
  input: Fields,
  invocation: Invocation,
  openBus: OpenBus,
): Promise<Called> {
  const { config, environment } = invocation;
  if (readerField !== undefined) return { input: await withReader(readerField, input, invocation, openBus) };
  const field = agentField ?? personField;
  if (field === undefined || input[field] !== undefined) return { input };
  if (agentField === undefined) return fillIn(input, field, toLoginName(environment));
  if (config.given.has('agentId')) return fillIn(input, field, config.agentId);
  const session = findShellSession(environment);
  if (session) return fillIn(input, field, (await joinBus(await openBus(), session)).agent);
  return field === 'owner' ? { input } : fillIn(input, field, config.agentId);
}

/** What to do about an owner that is missing. */
export const ownerAdvice =
  'is required: name yourself, or set BUS_MCP_AGENT_ID once for this shell, so that later commands can renew and release the lane';

function fillIn(input: Fields, field: string, caller: string | undefined): Called {
  return { input: { ...input, [field]: caller }, caller };
}

/** Only a wait has a use for the reader, and an older bus does not know it. */
async function withReader(
  field: string,
  input: Fields,
  { environment }: Invocation,
  openBus: OpenBus,
): Promise<Fields> {
  const session = input.wait_s && input[field] === undefined ? findShellSession(environment) : undefined;
  if (!session) return input;
  const { agent, isKnownToBus } = await joinBus(await openBus(), session);
  return isKnownToBus ? { ...input, [field]: agent } : input;
}
