// One way of working together, tried from an empty repository and an empty bus to the last edit.
import { startBus } from '../servers.mjs';
import { startAgent } from './agent.mjs';
import { createRepository } from './repository.mjs';
import { toTasks } from './tasks.mjs';

export async function runTrial(way, { agents: agentCount, tasks: taskCount, seed, thinkMilliseconds }) {
  const bus = await startBus();
  const repository = createRepository();
  const agents = [];
  try {
    for (let index = 0; index < agentCount; index += 1)
      agents.push(await startAgent({ url: `${bus.url}/api/bus`, folder: repository.folder, way }));
    const missing = way.needs?.(agents[0].tools);
    if (missing) return { skipped: missing };
    const lists = toTasks({ agentCount, taskCount, seed, files: repository.files });
    const startedAt = performance.now();
    const work = { repository, thinkMilliseconds };
    await Promise.all(agents.map((agent, index) => agent.work(lists[index], { ...work, index })));
    const took = performance.now() - startedAt;
    const sum = (of) => agents.reduce((total, agent) => total + of(agent.counted), 0);
    return {
      edits: repository.edits().length,
      collisions: repository.countCollisions(),
      lostEdits: repository.countLost(),
      calls: sum(({ calls }) => calls),
      shownBytes: sum(({ shownBytes }) => shownBytes),
      waitedSeconds: toTenths(sum(({ waitedMilliseconds }) => waitedMilliseconds)),
      tookSeconds: toTenths(took),
    };
  } catch (error) {
    return { failure: error.message };
  } finally {
    await Promise.all(agents.map((agent) => agent.close()));
    await bus.stop();
    repository.remove();
  }
}

function toTenths(milliseconds) {
  return Math.round(milliseconds / 100) / 10;
}
