import { cleaned, read, type Refusal, refusal } from "./token";
import type { SignIn, User } from "./ways";

/** Where the tab keeps its token: gone with the tab, and no other tab or later visitor finds it. */
export const STORED = "miyabi-token";
const EARLIEST_MS = 1_000;
const LATEST_MS = 3_600_000;
/** How long after its end a token is asked about that the board still takes: clocks may be apart. */
const AGAIN_MS = 30_000;

/** Why somebody has to sign in. `denied`: the issuer did not sign them in; `unreachable`: nobody answered. */
export type Reason = Refusal | "stranger" | "denied" | "unreachable";

/** `asking`: not known yet whether a token is needed. `in` also says that none is. */
export type Phase = "asking" | "in" | "out";

export interface SessionState {
  phase: Phase;
  /** Who is signed in, when the board has said so. */
  user: User | null;
  /** How to sign in; `null` until the board has said so. */
  ways: SignIn | null;
  reason: Reason | null;
}

/** What keeps a token that an issuer gave fresh; loaded only where there is one. */
export interface Renewal {
  /** A fresh token by the refresh token; `null` when there is none to be had. */
  renew(ways: SignIn): Promise<string | null>;
  /** Forget what the issuer gave. May leave the page, for the issuer to end its own session. */
  end(ways: SignIn | null): Promise<void>;
}

export interface SessionPorts {
  store(): Pick<Storage, "getItem" | "setItem" | "removeItem">;
  ask(token: string | null): Promise<SignIn>;
  /** `null` when the token did not come from an issuer. */
  renewal(): Promise<Renewal | null>;
  /** Forget what was shown: the next to sign in may see less. */
  forget(): void;
  now(): number;
}

/** Who looks at the board in this tab, and with which token. */
export class Session {
  private state: SessionState = { phase: "asking", user: null, ways: null, reason: null };
  private held: string | null = null;
  private readonly listeners = new Set<() => void>();
  private watch: ReturnType<typeof setTimeout> | undefined;
  private renewing: Promise<boolean> | null = null;

  constructor(private readonly ports: SessionPorts) {}

  /** For `useSyncExternalStore`. */
  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** The same object until something changes. */
  snapshot = (): SessionState => this.state;

  /** What to send as `Authorization: Bearer`; `null` for nothing. */
  get token(): string | null {
    return this.held;
  }

  /** Find out whether somebody is signed in. A board that does not answer is shown as such by its views. */
  async begin(): Promise<void> {
    this.held = this.ports.store().getItem(STORED);
    if (this.held !== null) this.change({ phase: "in" });
    await this.check();
  }

  /** Sign in with a token; why not, when it is not let in. */
  async enter(pasted: string, issued = false): Promise<Reason | null> {
    const token = cleaned(pasted);
    if (!issued && read(token) === null) return "malformed";
    let answer: SignIn;
    try {
      answer = await this.ports.ask(token);
    } catch {
      return "unreachable";
    }
    if (answer.user === null) return issued ? "stranger" : refusal(token, this.ports.now());
    if (answer.user.role === "ingest") return "ingest";
    this.keep(token);
    this.change({ phase: "in", user: answer.user, ways: answer, reason: null });
    return null;
  }

  /** Learn how to sign in, when that is not known yet. */
  async learn(): Promise<void> {
    if (this.state.ways !== null) return;
    this.change({ ways: await this.ports.ask(null) });
  }

  /** Why the way back from the issuer led nowhere. */
  fail(reason: Reason): void {
    this.leave(reason);
  }

  async signOut(): Promise<void> {
    const renewal = await this.ports.renewal().catch(() => null);
    const { ways } = this.state;
    this.leave(null);
    await renewal?.end(ways).catch(() => undefined);
  }

  /** The board refused `sent`: whether another attempt is worth it, with a token that has been renewed meanwhile. */
  async refused(sent: string | null): Promise<boolean> {
    if (sent !== this.held) return this.held !== null;
    if (sent === null) {
      this.leave(null);
      return false;
    }
    this.renewing ??= this.renewed(sent).finally(() => {
      this.renewing = null;
    });
    return this.renewing;
  }

  private async renewed(sent: string): Promise<boolean> {
    const renewal = await this.ports.renewal().catch(() => null);
    const fresh = renewal && (await this.fresh(renewal));
    if (fresh && fresh !== sent && this.held === sent) {
      this.keep(fresh);
      return true;
    }
    if (this.held === sent) this.leave(refusal(sent, this.ports.now()));
    return false;
  }

  private async fresh(renewal: Renewal): Promise<string | null> {
    try {
      await this.learn();
      return this.state.ways && (await renewal.renew(this.state.ways));
    } catch {
      return null;
    }
  }

  private async check(): Promise<void> {
    const asked = this.held;
    let answer: SignIn;
    try {
      answer = await this.ports.ask(asked);
    } catch {
      if (this.state.phase === "asking") this.change({ phase: "in" });
      this.look();
      return;
    }
    if (asked !== this.held) return;
    this.change({ ways: answer });
    if (answer.user !== null || !(answer.token || answer.oidc))
      this.change({ phase: "in", user: answer.user });
    else await this.refused(asked);
    this.look();
  }

  private keep(token: string): void {
    this.held = token;
    this.ports.store().setItem(STORED, token);
    this.look();
  }

  private leave(reason: Reason | null): void {
    clearTimeout(this.watch);
    this.held = null;
    this.ports.store().removeItem(STORED);
    this.ports.forget();
    this.change({ phase: "out", user: null, reason });
  }

  /** When the token ends the board is asked whether it is so: its clock counts, not this one's. */
  private look(): void {
    clearTimeout(this.watch);
    const exp = this.held && read(this.held)?.exp;
    if (!exp) return;
    const left = exp * 1000 - this.ports.now();
    const wait = left > 0 ? Math.min(left, LATEST_MS) : AGAIN_MS;
    this.watch = setTimeout(() => void this.due(), Math.max(wait, EARLIEST_MS));
  }

  private async due(): Promise<void> {
    const exp = this.held && read(this.held)?.exp;
    if (exp && exp * 1000 <= this.ports.now()) await this.check();
    else this.look();
  }

  private change(next: Partial<SessionState>): void {
    this.state = { ...this.state, ...next };
    for (const listener of this.listeners) listener();
  }
}
