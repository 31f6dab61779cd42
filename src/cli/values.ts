import { type GuardMode, guardModes } from '../client-side/guard-modes.ts';
import { limits } from '../contract/limits.ts';
import { isForeignUrl, locationProblem } from '../contract/location.ts';
import { durationProblem, parseDuration, toDurationText } from './duration.ts';
import { findUnexpanded, unexpandedProblem } from './unexpanded.ts';

/** A setting's text as the value it stands for, or what the text would have to be. */
export type Parsed<Value> = Readonly<{ value: Value } | { problem: string; isSecret?: boolean }>;

/** Any text but the empty one, which counts as unset before it comes here. */
export function parseText(text: string): Parsed<string> {
  return text.includes('\u0000') ? { problem: 'must not contain NUL' } : { value: text };
}

/** A name or an address; one of IPv6 may stand in the brackets that it has in a URL. */
export function parseHost(text: string): Parsed<string> {
  return parseText(text.replace(/^\[(.*)\]$/, '$1'));
}

/** Where a store is. What is none may be a mistyped one, with its password. */
export function parseLocation(text: string): Parsed<string> {
  return isForeignUrl(text) ? { problem: locationProblem, isSecret: true } : parseText(text);
}

/** A write secret as a header can carry it; on a second line the one before, which is accepted too. */
export function parseSecret(text: string): Parsed<string> {
  const lines = text.replace(/\r?\n$/, '').split(/\r?\n/);
  const isFit = lines.length <= 2 && lines.every((line) => secretPattern.test(line));
  return isFit ? { value: lines.join('\n') } : { problem: secretProblem };
}

const secretPattern = /^[^\s\p{Cc}](?:[^\p{Cc}]{0,998}[^\s\p{Cc}])?$/u;
const secretProblem =
  'must be 1 to 1000 characters without control characters and without blanks at the ends, and perhaps a second secret on the line below';

/** Who an agent is: what the bus takes as owner and sender. */
export function parseAgentId(text: string): Parsed<string> {
  if (findUnexpanded(text) !== undefined) return { problem: unexpandedProblem };
  const charactersMax = limits.agentIdCharactersMax;
  return text.length > charactersMax
    ? { problem: `must have at most ${charactersMax} characters` }
    : parseText(text);
}

export function parseGuardMode(text: string): Parsed<GuardMode> {
  const word = text.trim().toLowerCase();
  const value = guardModes.find((mode) => mode === (word === '0' ? 'off' : word));
  return value === undefined ? { problem: `must be one of ${guardModes.join(', ')}` } : { value };
}

/** What paths begin with, so it is a path itself: a name that the bus refuses would make each claim fail. */
export function parseRepository(text: string): Parsed<string> {
  const isPath = text.split('/').every((segment) => segment !== '' && segment !== '..');
  return isPath && text.length <= 200 && !/[*?\\\0]|^!/.test(text)
    ? { value: text }
    : { problem: 'must be a name like github.com/acme/pocket, without a slash at its ends' };
}

export function parseSwitch(text: string): Parsed<boolean> {
  const word = text.trim().toLowerCase();
  if (['1', 'true', 'yes', 'on'].includes(word)) return { value: true };
  if (['0', 'false', 'no', 'off'].includes(word)) return { value: false };
  return { problem: 'must be 1 or 0' };
}

/** A duration above nothing: `90s`, `5m`, `12h`, or a plain number of seconds. */
export function parseSeconds({ max }: Readonly<{ max: number }>) {
  return (text: string): Parsed<number> => {
    const value = parseDuration(text);
    return value !== undefined && value > 0 && value <= max
      ? { value }
      : { problem: `${durationProblem}, above 0 and at most ${toDurationText(max)}` };
  };
}

/** A duration that comes to whole seconds. */
export function parseWholeSeconds({ min, max }: Readonly<{ min: number; max: number }>) {
  return (text: string): Parsed<number> => {
    const value = parseDuration(text);
    return value !== undefined && Number.isInteger(value) && value >= min && value <= max
      ? { value }
      : { problem: `${durationProblem}, from ${toDurationText(min)} to ${toDurationText(max)}` };
  };
}

export function parseWholeNumber(range: Readonly<{ min: number; max: number }>) {
  return (text: string): Parsed<number> => {
    const value = toNumber(text);
    return Number.isInteger(value) && value >= range.min && value <= range.max
      ? { value }
      : { problem: `must be a whole number from ${range.min} to ${range.max}` };
  };
}

/** Names with commas between them. */
export function parseList(text: string): Parsed<readonly string[]> {
  const names = splitList(text);
  return names.length > 0 && !text.includes('\u0000')
    ? { value: names }
    : { problem: 'must be names with commas between them' };
}

/** Host names with commas between them; a port or a scheme may be part of each. */
export function parseHostNames(text: string): Parsed<readonly string[]> {
  const names = splitList(text.toLowerCase());
  const bad = names.find((name) => !/^(https?:\/\/)?(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/.test(name));
  return bad === undefined && names.length > 0
    ? { value: names }
    : {
        problem:
          'must be host names with commas between them, as in bus.example,10.0.0.7:8100, or origins that begin with http:// or https://',
      };
}

/** Whether only this machine can reach what listens there. */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase();
  return name === 'localhost' || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name);
}

/** Whether all these addresses of buses, with commas between them, are on this machine. */
export function isOnThisMachine(baseUrl: string): boolean {
  return splitList(baseUrl).every((url) => {
    const host = URL.canParse(url) ? new URL(url).hostname : '';
    return isLoopbackHost(host.replace(/^\[(.*)\]$/, '$1'));
  });
}

function splitList(text: string): readonly string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

function toNumber(text: string): number {
  return /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : Number.NaN;
}
