/** Where the database is, read from the URL. Several hosts are tried in turn. */
export type PostgresLocation = Readonly<{
  /** Each way to connect, in the order to try them. */
  ways: readonly Way[];
  /** Everything lives in this schema, so that a role needs no more than that. */
  schema: string;
  /** Where the buses of this schema tell each other of their commits. */
  channel: string;
  /** The URL without the password: for people. */
  shown: string;
}>;

const urlPattern = /^postgres(?:ql)?:\/\/(?:([^@/?#]*)@)?([^@/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/i;
const schemaPattern = /^[a-z_][a-z0-9_]{0,39}$/;
const tlsModes = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'];

export type Way = Readonly<{
  /** Without the password: for people. */
  host: string;
  /** With the password: not for people. */
  connectionString: string;
}>;

/** Reads `postgres://user:password@host1:5432,host2:5432/database?schema=bus&sslmode=verify-full`. */
export function parsePostgresUrl(url: string): PostgresLocation {
  const match = urlPattern.exec(url);
  if (!match) throw new Error(`the database is not given as a PostgreSQL URL: ${advice}`);
  const [, credentials = '', authority = '', database = '', query = ''] = match;
  const parameters = new URLSearchParams(query);
  const schema = take(parameters, 'schema') ?? 'bus';
  if (!schemaPattern.test(schema)) {
    throw new Error(`the schema in the URL of the database must match ${schemaPattern.source}: ${advice}`);
  }
  // Only a host that takes writes will do, whatever the URL says.
  take(parameters, 'target_session_attrs');
  const hosts = toHosts(authority, parameters);
  const ways = hosts.flatMap((host) =>
    toTlsVariants(parameters).map((variant) => {
      for (const [name, value] of host.parameters) variant.set(name, value);
      const { name, authority } = host;
      const connectionString = toConnectionString({ credentials, authority, database, parameters: variant });
      return { host: name, connectionString };
    }),
  );
  const user = credentials.split(':')[0];
  const shown = `postgres://${user ? `${user}@` : ''}${hosts.map(({ name }) => name).join(',')}/${database}`;
  const channel = `bus_${schema}`;
  return { ways, schema, channel, shown: schema === 'bus' ? shown : `${shown}?schema=${schema}` };
}

const advice = 'write postgres://user:password@host:5432/database, special characters as %xx';

function take(parameters: URLSearchParams, name: string): string | undefined {
  const value = parameters.get(name) ?? undefined;
  parameters.delete(name);
  return value;
}

type Host = Readonly<{ name: string; authority: string; parameters: readonly (readonly [string, string])[] }>;

/** From the authority, or from `host` and `port` behind the question mark, where a folder of a socket can stand. */
function toHosts(authority: string, parameters: URLSearchParams): Host[] {
  const names = take(parameters, 'host')?.split(',') ?? [];
  const ports = take(parameters, 'port')?.split(',') ?? [];
  if (authority !== '' || names.length === 0) {
    return authority.split(',').map((name) => ({ name, authority: name, parameters: [] }));
  }
  return names.map((host, index) => {
    const port = ports[index] ?? ports[0] ?? '5432';
    return {
      name: `${host}:${port}`,
      authority: '',
      parameters: [
        ['host', host],
        ['port', port],
      ],
    };
  });
}

/** `sslmode` means what PostgreSQL's own clients mean by it; `prefer` is two ways to connect, tried in turn. */
function toTlsVariants(parameters: URLSearchParams): URLSearchParams[] {
  const mode = parameters.get('sslmode');
  const withMode = (value: string) => {
    const variant = new URLSearchParams(parameters);
    variant.set('sslmode', value);
    if (value !== 'no-verify') variant.set('uselibpqcompat', 'true');
    return variant;
  };
  if (mode === null) return [new URLSearchParams(parameters)];
  if (!tlsModes.includes(mode)) {
    throw new Error(`the sslmode in the URL of the database must be one of ${tlsModes.join(', ')}`);
  }
  // Any certificate of a public authority would do otherwise, whoever has it.
  if (mode === 'verify-ca' && !parameters.has('sslrootcert')) {
    throw new Error(
      'sslmode=verify-ca in the URL of the database needs sslrootcert, the file of the authority',
    );
  }
  return mode === 'prefer' ? [withMode('require'), withMode('disable')] : [withMode(mode)];
}

function toConnectionString({
  credentials,
  authority,
  database,
  parameters,
}: Readonly<{ credentials: string; authority: string; database: string; parameters: URLSearchParams }>) {
  const at = credentials === '' ? '' : `${credentials}@`;
  // What the parser itself would say of a bad URL has the password in it.
  if (!URL.canParse(`postgres://${at}${authority || 'socket'}/${database}`)) {
    throw new Error(`the database is not given as a PostgreSQL URL: ${advice}`);
  }
  return `postgres://${at}${authority}/${database}?${parameters}`;
}
