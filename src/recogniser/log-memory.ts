/**
 * What a recogniser keeps in mind from one line of a log to a later one.
 *
 * It belongs to the log and not to the patterns: it is handed on when these are loaded again, so that a reload
 * neither lets the rest of a torn line pass nor loses a login that is told in two lines.
 */
import { Connects } from './connects.ts';
import { TornLines } from './torn-lines.ts';

export class LogMemory {
  readonly torn = new TornLines();
  readonly connects = new Connects();
}
