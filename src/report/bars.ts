/** The bars of charts, from nothing to full: those of Unicode where the locale has them. */
const BARS = { unicode: ' ▁▂▃▄▅▆▇█', ascii: ' .:-=+*#@' } as const;

export const bars = (): string => (isUtf8() ? BARS.unicode : BARS.ascii);

/** As locale(7) finds it. */
function isUtf8(): boolean {
  const { LC_ALL, LC_CTYPE, LANG } = process.env;
  return /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || '');
}
