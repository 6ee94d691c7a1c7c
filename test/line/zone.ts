/** Runs a step with another local time zone; Node reads TZ again whenever it is set. */
export function inZone<T>(zone: string, step: () => T): T {
  const before = process.env['TZ'];
  process.env['TZ'] = zone;
  try {
    return step();
  } finally {
    if (before === undefined) delete process.env['TZ'];
    else process.env['TZ'] = before;
  }
}
