/** `npm run scan`. */
import { writeFileSync } from 'node:fs';
import { CODE_FILE, compiledScan } from './scan.ts';

writeFileSync(CODE_FILE, await compiledScan());
