import Anser from "anser";

/** A run of characters in one style. `className` names colours of the stylesheet; `rgb` is a colour of its own. */
export interface Span {
  text: string;
  className: string;
  color?: string;
  background?: string;
}

/** Characters of a line that are drawn; what is longer is cut and said to be. */
export const LONGEST = 4_000;

// Everything a terminal obeys except colours: titles and links (OSC), other strings, cursor moves, charset choices.
const OBEYED =
  // escape sequences begin with one
  /\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[PX^_][^\u001b]*(?:\u001b\\)?|\u001b\[[0-?]*[ -/]*[@-ln-~]|\u001b[ -/]*[0-Z\\^-~]/g;
// they are what is looked for
const CONTROLS = /[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f]/g;

/** A line as text: no colours, no sequences; control characters as the symbols that stand for them. */
export function plain(line: string): string {
  return visible(line).replace(COLOURS, "");
}

// escape sequences begin with one
const COLOURS = /\u001b(?:\[[0-?]*m?)?/g;

/** A line in its colours, at most {@link LONGEST} characters of it. */
export function spans(line: string): Span[] {
  const text = visible(line.slice(0, LONGEST));
  if (!text.includes("\u001b")) return [{ text, className: "" }];
  return Anser.ansiToJson(text, { use_classes: true, remove_empty: true, json: true }).map(span);
}

function visible(line: string): string {
  return line.replace(OBEYED, "").replace(CONTROLS, symbol);
}

function symbol(control: string): string {
  const code = control.charCodeAt(0);
  return String.fromCharCode(code === 0x7f ? 0x2421 : 0x2400 + code);
}

function span(entry: Anser.AnserJsonEntry): Span {
  const names = entry.decorations.map((decoration) => `ansi-${decoration}`);
  const [color, colorName] = ink(entry.fg, entry.fg_truecolor);
  const [background, backgroundName] = ink(entry.bg, entry.bg_truecolor);
  if (colorName) names.push(`${colorName}-fg`);
  if (backgroundName) names.push(`${backgroundName}-bg`);
  return { text: entry.content.replace(COLOURS, ""), className: names.join(" "), color, background };
}

/** A colour value, or the class of one of the sixteen that the stylesheet fits to light and dark. */
function ink(name: string | null, rgb: string | null): [string | undefined, string | undefined] {
  if (!name) return [undefined, undefined];
  if (name === "ansi-truecolor") return [rgb ? `rgb(${rgb})` : undefined, undefined];
  const palette = /^ansi-palette-(\d+)$/.exec(name);
  return palette ? [paletteColour(Number(palette[1])), undefined] : [undefined, name];
}

/** Colour 16 to 255 of the xterm palette: a 6×6×6 cube, then 24 greys. */
export function paletteColour(index: number): string {
  if (index >= 232) {
    const grey = 8 + (index - 232) * 10;
    return `rgb(${grey},${grey},${grey})`;
  }
  const cube = index - 16;
  const level = (step: number) => (step === 0 ? 0 : 55 + 40 * step);
  const [red, green, blue] = [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map(level);
  return `rgb(${red},${green},${blue})`;
}
