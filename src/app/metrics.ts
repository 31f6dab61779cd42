import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Bus } from '../contract/contract.ts';
import type { Measurement } from '../http/answers.ts';
import type { Page } from '../http/targets.ts';
import type { CommitMeasurement } from '../store/health.ts';
import { version } from './version.ts';

export type Metrics = Readonly<{
  observeRequest: (measurement: Measurement) => void;
  observeCommit: (measurement: CommitMeasurement) => void;
  observeStoreFailure: () => void;
  /** Creates the page `/metrics` in the Prometheus format. */
  toPage: (bus: Bus, count: () => Connected) => Page;
}>;

/** Clients that are connected to this process and wait for news. */
type Connected = Readonly<{ readersWaiting: number; eventStreams: number }>;

/** The numbers worth watching and alerting on. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  // The default samples the event loop a hundred times a second, which would keep the machine awake for an idle bus.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 1_000 });
  const requests = new Counter({
    name: 'bus_requests_total',
    help: 'Requests by route and status',
    labelNames: ['method', 'route', 'status'],
    registers,
  });
  const requestSeconds = new Histogram({
    name: 'bus_request_seconds',
    help: 'Time from request to answer by route; calls that wait are in it',
    labelNames: ['route'],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 60, 300],
    registers,
  });
  const commitSeconds = new Histogram({
    name: 'bus_commit_seconds',
    help: 'Time of a commit of the store, with its fsync',
    buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1],
    registers,
  });
  const commitTurns = new Histogram({
    name: 'bus_commit_turns',
    help: 'Turns that shared a commit',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
    registers,
  });
  const storeErrors = new Counter({
    name: 'bus_store_errors_total',
    help: 'Commits that the store could not keep, and reads that it could not serve',
    registers,
  });
  const state = createStateGauges(registry);

  const readers = new Gauge({
    name: 'bus_readers_waiting',
    help: 'Reads that wait for a message or an event, those of streams among them',
    registers,
  });
  const streams = new Gauge({ name: 'bus_event_streams', help: 'Live streams that are open', registers });

  async function collect(bus: Bus, { readersWaiting, eventStreams }: Connected): Promise<string> {
    readers.set(readersWaiting);
    streams.set(eventStreams);
    // If the store cannot give its status, its error counters must still be visible.
    const status = await bus.getBusStatus({}).catch(() => undefined);
    for (const { gauge, field } of state) gauge.set(Number(status?._meta[field]));
    return registry.metrics();
  }

  return {
    observeRequest({ method, route, status, seconds }) {
      requests.inc({ method, route, status });
      requestSeconds.observe({ route }, seconds);
    },
    observeCommit({ turns, seconds, ...failed }) {
      if ('failure' in failed) return;
      commitSeconds.observe(seconds);
      commitTurns.observe(turns);
    },
    observeStoreFailure: () => storeErrors.inc(),
    toPage: (bus, count) => ({
      method: 'GET',
      path: '/metrics',
      async handle(_request, response) {
        const text = await collect(bus, count());
        response.writeHead(200, { 'content-type': registry.contentType }).end(text);
      },
    }),
  };
}

function createStateGauges(registry: Registry) {
  const toGauge = (name: string, help: string) => new Gauge({ name, help, registers: [registry] });
  new Gauge({ name: 'bus_info', help: 'Version', labelNames: ['version'], registers: [registry] }).set(
    { version },
    1,
  );
  return [
    { field: 'active_lane_count', gauge: toGauge('bus_lanes_live', 'Lanes held under a live lease') },
    { field: 'orphaned_claim_count', gauge: toGauge('bus_lanes_orphaned', 'Leases that ran out unreleased') },
    { field: 'waiter_count', gauge: toGauge('bus_waiters', 'Claims that wait for a lane') },
    { field: 'message_count', gauge: toGauge('bus_messages', 'Messages in the log') },
    { field: 'last_message_id', gauge: toGauge('bus_last_message_id', 'Id of the newest message') },
    {
      field: 'pending_action_flag_count',
      gauge: toGauge('bus_flags_pending', 'Flags that wait for a person'),
    },
  ] as const;
}
