/** A terminal of one line: what stands in it after carriage returns have written over what was there. */
export class TestScreen {
  readonly columns = 80;
  readonly writes: string[] = [];
  text = '';
  column = 0;

  write(text: string): void {
    this.writes.push(text);
    for (const character of text) {
      if (character === '\r') this.column = 0;
      else {
        this.text = this.text.slice(0, this.column) + character + this.text.slice(this.column + 1);
        this.column++;
      }
    }
  }
}
