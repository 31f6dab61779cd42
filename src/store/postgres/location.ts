/** Where the database is, as read from the URL. Several hosts are tried in turn. */
export type PostgresLocation = Readonly<{
  /** The ways to connect, in the order in which to try them. */
  ways: readonly Way[];
  /** All tables live in this schema, so the role needs no rights outside it. */
  schema: string;
  /** The channel on which the buses of this schema announce their commits. */
  channel: string;
  /** The URL without the password, for messages. */
  shown: string;
}>;

const urlPattern = /^postgres(?:ql)?:\/\/(?:([^@/?#]*)@)?([^@/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/i;
const schemaPattern = /^[a-z_][a-z0-9_]{0,39}$/;
const tlsModes = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'];

export type Way = Readonly<{
  /** Without the password, for messages. */
  host: string;
  /** With the password. Never show it. */
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
  // The bus needs a host that accepts writes, whatever the URL says.
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

/**
 * Hosts come from the authority, or from `host` and `port` in the query string, which also allow the folder of a
 * socket.
 */
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

/** `sslmode` means what it means to PostgreSQL's own clients. `prefer` becomes two ways to connect, tried in turn. */
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
  // Otherwise any certificate that a public authority signed would pass, whoever owns it.
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
  // The URL parser's own error would contain the password.
  if (!URL.canParse(`postgres://${at}${authority || 'socket'}/${database}`)) {
    throw new Error(`the database is not given as a PostgreSQL URL: ${advice}`);
  }
  return `postgres://${at}${authority}/${database}?${parameters}`;
}
