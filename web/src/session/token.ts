/** What a token says of itself. Nobody has vouched for it: it only explains why the board did not let it in. */
export interface Said {
  /** When it ends, epoch seconds. */
  exp?: number;
  role?: string;
}

/** A token without what is often copied with it: `Bearer`, quotes, the name of a header. */
export function cleaned(pasted: string): string {
  return pasted
    .trim()
    .replace(/^authorization:\s*/i, "")
    .replace(/^bearer\s+/i, "")
    .replace(/^["'`]|["'`]$/g, "")
    .trim();
}

/** The claims of a JWT; `null` for anything else. */
export function read(token: string): Said | null {
  const [, claims, ...rest] = token.split(".");
  if (claims === undefined || rest.length !== 1) return null;
  try {
    const binary = atob(claims.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (each) => each.charCodeAt(0));
    const said: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof said === "object" && said !== null ? (said as Said) : null;
  } catch {
    return null;
  }
}

/** Why a token is not let in. `foreign`: made for another board, by another hand, or with no role here. */
export type Refusal = "malformed" | "expired" | "foreign" | "ingest";

/** The likely reason why the board refused `token` at `now`, ms. */
export function refusal(token: string, now: number): Refusal {
  const said = read(token);
  if (said === null) return "malformed";
  return said.exp !== undefined && said.exp * 1000 <= now ? "expired" : "foreign";
}
