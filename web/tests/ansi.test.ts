import { describe, expect, test } from "vitest";
import { LONGEST, paletteColour, plain, spans } from "../src/log/ansi";

const text = (line: string) =>
  spans(line)
    .map((span) => span.text)
    .join("");

describe("a line in its colours", () => {
  test("names the sixteen colours, and styles", () => {
    expect(spans("a \u001b[1;31mred\u001b[0m b")).toMatchObject([
      { text: "a ", className: "" },
      { text: "red", className: "ansi-bold ansi-red-fg" },
      { text: " b", className: "" },
    ]);
    expect(spans("\u001b[97;44mx")).toMatchObject([{ className: "ansi-bright-white-fg ansi-blue-bg" }]);
  });

  test("carries the colours of the palette and of its own", () => {
    expect(spans("\u001b[38;5;208mx")).toMatchObject([{ color: "rgb(255,135,0)" }]);
    expect(spans("\u001b[48;2;1;2;3mx")).toMatchObject([{ background: "rgb(1, 2, 3)" }]);
    expect(paletteColour(244)).toBe("rgb(128,128,128)");
  });

  test("draws nothing of what a terminal would obey", () => {
    expect(text("\u001b[2K\u001b[1Gdone\u001b[?25h")).toBe("done");
    expect(text("\u001b]0;title\u0007x\u001b]8;;http://a\u001b\\link\u001b]8;;\u001b\\")).toBe("xlink");
    expect(text("\u001b(B\u001b7kept")).toBe("kept");
  });

  test("shows control characters as their symbols, and markup as text", () => {
    expect(text("a\u0000b\u0008c\td")).toBe("a␀b␈c\td");
    expect(text("<b>&amp;</b>")).toBe("<b>&amp;</b>");
  });

  test("is cut where it would be too long to draw", () => {
    expect(text("x".repeat(1_000_000))).toHaveLength(LONGEST);
  });

  test("is plain without them", () => {
    expect(plain("\u001b[1;31mred\u001b[0m and \u001b[Kmore")).toBe("red and more");
  });
});
