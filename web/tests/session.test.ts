import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Session, STORED, type Renewal } from "../src/session/session";
import { cleaned, read, refusal } from "../src/session/token";
import type { SignIn } from "../src/session/ways";

const NOW = 1_800_000_000_000;
const segment = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const jwt = (said: object) => `${segment({ alg: "HS256" })}.${segment(said)}.sig`;
const GOOD = jwt({ sub: "ann", exp: NOW / 1000 + 600 });
const FRESH = jwt({ sub: "ann", exp: NOW / 1000 + 1_200 });
const WAYS: SignIn = { oidc: null, token: true, user: null };
const ANN = { subject: "ann", role: "viewer" };

/** A session before a board that lets some tokens in. */
function tab(given: { stored?: string; open?: boolean; renew?: Renewal["renew"] } = {}) {
  const kept = new Map<string, string>(given.stored ? [[STORED, given.stored]] : []);
  const board = { good: new Set([GOOD]), away: false, role: "viewer", asked: [] as (string | null)[] };
  const forgotten = vi.fn();
  const renewal: Renewal | null = given.renew ? { renew: given.renew, end: async () => undefined } : null;
  const session = new Session({
    store: () => ({
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => void kept.set(key, value),
      removeItem: (key) => void kept.delete(key),
    }),
    ask: async (token) => {
      board.asked.push(token);
      if (board.away) throw new Error("away");
      const user = token && board.good.has(token) ? { ...ANN, role: board.role } : null;
      return { ...WAYS, token: !given.open, user };
    },
    renewal: async () => renewal,
    forget: forgotten,
    now: Date.now,
  });
  return { session, kept, board, forgotten };
}

beforeEach(() => void vi.useFakeTimers({ now: NOW }));
afterEach(() => void vi.useRealTimers());

describe("a token", () => {
  test("is taken as it is often copied", () => {
    const written = [` ${GOOD}\n`, `Bearer ${GOOD}`, `Authorization: Bearer ${GOOD}`, `"${GOOD}"`];
    expect(written.map(cleaned)).toEqual([GOOD, GOOD, GOOD, GOOD]);
  });

  test("says why it is probably not let in", () => {
    expect(refusal("hello", NOW)).toBe("malformed");
    expect(refusal("a.b.c", NOW)).toBe("malformed");
    expect(refusal(jwt({ exp: NOW / 1000 - 1 }), NOW)).toBe("expired");
    expect(refusal(GOOD, NOW)).toBe("foreign");
    expect(read(jwt({ role: "雅?>" }))).toEqual({ role: "雅?>" });
  });
});

describe("a session", () => {
  test("needs nobody to sign in where the board asks for no token", async () => {
    const { session } = tab({ open: true });
    await session.begin();
    expect(session.snapshot()).toMatchObject({ phase: "in", user: null });
  });

  test("without a token is out, and says no reason", async () => {
    const { session } = tab();
    await session.begin();
    expect(session.snapshot()).toMatchObject({ phase: "out", reason: null });
  });

  test("goes on with the token that the tab has kept, at once", async () => {
    const { session } = tab({ stored: GOOD });
    const begun = session.begin();
    expect([session.snapshot().phase, session.token]).toEqual(["in", GOOD]);
    await begun;
    expect(session.snapshot().user).toEqual(ANN);
  });

  test("shows the views when the board does not answer, which say so themselves", async () => {
    const { session, board } = tab();
    board.away = true;
    await session.begin();
    expect(session.snapshot().phase).toBe("in");
  });

  test("keeps only a token that the board lets in, for a person", async () => {
    const { session, kept, board } = tab();
    await session.begin();
    expect(await session.enter("hello")).toBe("malformed");
    expect(await session.enter(FRESH)).toBe("foreign");
    board.role = "ingest";
    expect(await session.enter(GOOD)).toBe("ingest");
    board.away = true;
    expect(await session.enter(GOOD)).toBe("unreachable");
    expect([kept.size, session.token, session.snapshot().phase]).toEqual([0, null, "out"]);
    Object.assign(board, { away: false, role: "viewer" });
    expect(await session.enter(`Bearer ${GOOD}`)).toBeNull();
    expect([kept.get(STORED), session.snapshot().phase]).toEqual([GOOD, "in"]);
  });

  test("forgets the token and what was shown at sign-out", async () => {
    const { session, kept, forgotten } = tab({ stored: GOOD });
    await session.begin();
    await session.signOut();
    expect([kept.size, session.token, session.snapshot().phase]).toEqual([0, null, "out"]);
    expect(forgotten).toHaveBeenCalledOnce();
  });

  test("whose token was refused is out, and one that was renewed meanwhile is tried again", async () => {
    const { session } = tab({ stored: GOOD });
    await session.begin();
    expect(await session.refused(FRESH)).toBe(true);
    expect(session.snapshot().phase).toBe("in");
    expect(await session.refused(GOOD)).toBe(false);
    expect(session.snapshot()).toMatchObject({ phase: "out", reason: "foreign" });
  });

  test("renews the issuer's token once for all requests that were refused at the same time", async () => {
    const renew = vi.fn(async () => FRESH);
    const { session, kept } = tab({ stored: GOOD, renew });
    await session.begin();
    expect(await Promise.all([session.refused(GOOD), session.refused(GOOD)])).toEqual([true, true]);
    expect(renew).toHaveBeenCalledOnce();
    expect([kept.get(STORED), session.token]).toEqual([FRESH, FRESH]);
  });

  test("asks the board when the token ends, whose clock counts", async () => {
    const { session, board } = tab({ stored: GOOD });
    await session.begin();
    await vi.advanceTimersByTimeAsync(601_000);
    expect([board.asked.length, session.snapshot().phase]).toEqual([2, "in"]);
    board.good.clear();
    await vi.advanceTimersByTimeAsync(31_000);
    expect(session.snapshot()).toMatchObject({ phase: "out", reason: "expired" });
  });
});
