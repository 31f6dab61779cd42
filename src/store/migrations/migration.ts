/**
 * One step from one version of the tables to the next, for each store. Never change a migration once it is released.
 */
export type Migration = Readonly<{
  sqlite: string;
  postgres: string;
  /**
   * Buses of the previous version would misread or corrupt what this migration leaves. If they share the database,
   * they stop serving.
   */
  endsOlder?: boolean;
}>;
