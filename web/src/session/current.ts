import { useSyncExternalStore } from "react";
import { Session, type SessionState } from "./session";
import { askSignIn } from "./ways";

const forgetters = new Set<() => void>();

/** Run `forget` whenever somebody signs out. */
export function whenLeft(forget: () => void): void {
  forgetters.add(forget);
}

/** The session of this tab. */
export const session = new Session({
  store: () => sessionStorage,
  ask: askSignIn,
  renewal: async () => (signedInByIssuer() ? (await import("./oidc")).renewal : null),
  forget: () => {
    for (const forget of forgetters) forget();
  },
  now: Date.now,
});

export function useSession(): SessionState {
  return useSyncExternalStore(session.subscribe, session.snapshot);
}

/** The issuer leads back to `/?code=…&state=…`: take its token, and put the address right before it is drawn. */
export async function beginSession(): Promise<void> {
  const address = new URL(location.href);
  const state = address.searchParams.get("state");
  if (state === null || sessionStorage.getItem(`oidc.${state}`) === null) return session.begin();
  const { tokenFromIssuer } = await import("./oidc");
  const given = await tokenFromIssuer(address).catch(() => null);
  history.replaceState(null, "", given?.to ?? "/");
  const reason = given ? await session.enter(given.token, true) : "denied";
  if (reason !== null) session.fail(reason);
}

function signedInByIssuer(): boolean {
  return Object.keys(sessionStorage).some((key) => key.startsWith("oidc.user:"));
}
