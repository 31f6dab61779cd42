import type { ToolSelection } from '../tools.ts';
import type { OpeningAnswers } from './opening.ts';

/**
 * Derives the opening responses of a server with fewer tools from those of one with all tools, so that the server
 * need not be loaded for that. Undefined for a choice of tools that the server refuses; it has the words for that.
 */
export function narrowAnswers(
  answers: OpeningAnswers,
  { readOnly, toolNames }: Pick<ToolSelection, 'readOnly' | 'toolNames'>,
): OpeningAnswers | undefined {
  if (!readOnly && !toolNames) return answers;
  const { legacy, modern } = answers;
  const all = readTools(legacy).map(({ name }) => name);
  if (toolNames?.some((name) => !all.includes(name))) return undefined;
  const isOffered = ({ name, annotations }: ListedTool) =>
    (!readOnly || annotations.readOnlyHint) && (toolNames?.includes(name) ?? true);
  if (!readTools(legacy).some(isOffered)) return undefined;
  return { ...answers, legacy: narrow(legacy, isOffered), modern: narrow(modern, isOffered) };
}

type ListedTool = Readonly<{ name: string; annotations: Readonly<{ readOnlyHint: boolean }> }>;
type Answers = OpeningAnswers['legacy'];

const method = 'tools/list';

function readTools(answers: Answers): readonly ListedTool[] {
  return JSON.parse(answers[method] ?? '{"tools":[]}').tools;
}

function narrow(answers: Answers, isOffered: (tool: ListedTool) => boolean): Answers {
  const list = JSON.parse(answers[method] ?? '{}');
  return { ...answers, [method]: JSON.stringify({ ...list, tools: readTools(answers).filter(isOffered) }) };
}
