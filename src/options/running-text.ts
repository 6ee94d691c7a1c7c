/**
 * Running text of help and manual: notes of the tables made sentences, and lines broken.
 */

/** A note of a table as a sentence. */
export function sentence(note: string): string {
  const end = /[.?!]$/.test(note) ? '' : '.';
  return `${note.charAt(0).toUpperCase()}${note.slice(1)}${end}`;
}

/** Breaks a text between words, so that no line is longer than the width, but for a word that is. */
export function wrap(text: string, width: number): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line].join('\n');
}
