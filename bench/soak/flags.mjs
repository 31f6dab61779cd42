// The flags of the soak, which end it with a sentence when they are none.

/** A number above 0, or what is taken without one. */
export function toNumber(flags, name, otherwise) {
  if (flags[name] === undefined) return otherwise;
  const number = Number(flags[name]);
  if (flags[name].trim() !== '' && Number.isFinite(number) && number > 0) return number;
  console.error(`--${name} must be a number above 0, and is '${flags[name]}'`);
  process.exit(2);
}
