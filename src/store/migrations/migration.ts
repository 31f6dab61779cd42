/** One step from the tables of a version to those of the next, for each store. It is never changed once it is released. */
export type Migration = Readonly<{
  sqlite: string;
  postgres: string;
  /**
   * Buses of the version before would misread or miswrite what this leaves. Where they share the database they stop
   * serving, instead of spoiling it.
   */
  endsOlder?: boolean;
}>;
