import type { Renewal } from "./session";
import { read } from "./token";
import type { Oidc, SignIn } from "./ways";

/** The library keeps here what belongs to a sign-in under way and to one that is done. */
const PREFIX = "oidc.";
const CLIENT = "miyabi-oidc";

/** Where to go on after the issuer has led back. */
interface Back {
  to: string;
}

/** Everything is in the tab's own storage; the library is fetched only by those who sign in this way. */
async function manager(oidc: Oidc) {
  const { UserManager, WebStorageStateStore } = await import("oidc-client-ts");
  const store = new WebStorageStateStore({ prefix: PREFIX, store: sessionStorage });
  const address = `${location.origin}/`;
  return new UserManager({
    authority: oidc.issuer,
    client_id: oidc.client_id,
    scope: oidc.scopes,
    redirect_uri: address,
    post_logout_redirect_uri: address,
    stateStore: store,
    userStore: store,
    automaticSilentRenew: false,
    loadUserInfo: false,
  });
}

/** Leaves the page for the issuer's. Rejects when the issuer does not answer. */
export async function goToIssuer(oidc: Oidc, to: string): Promise<void> {
  sessionStorage.setItem(CLIENT, JSON.stringify(oidc));
  const back: Back = { to };
  await (await manager(oidc)).signinRedirect({ state: back });
}

/** The token that the issuer gave, and where to go on. Rejects when it gave none. */
export async function tokenFromIssuer(address: URL): Promise<{ token: string; to: string }> {
  const user = await (await manager(stored())).signinCallback(address.href);
  if (!user) throw new Error("the issuer led back without a token");
  const { to } = (user.state ?? { to: "/" }) as Back;
  return { token: usable(user), to: inside(to) };
}

export const renewal: Renewal = {
  async renew({ oidc }: SignIn) {
    if (!oidc) return null;
    const users = await manager(oidc);
    const user = await users.getUser();
    // Without a refresh token the library would try a hidden frame, which the page's policy forbids.
    if (!user?.refresh_token) return null;
    const renewed = await users.signinSilent();
    return renewed && usable(renewed);
  },

  async end() {
    const users = await manager(stored());
    if (await users.metadataService.getEndSessionEndpoint()) await users.signoutRedirect();
    else await users.removeUser();
  },
};

/** Access tokens are for the board; some issuers give ones that only they can read, and then the ID token is. */
function usable(user: { access_token: string; id_token?: string }): string {
  return read(user.access_token) === null && user.id_token ? user.id_token : user.access_token;
}

/** A path of this page, whatever came back. */
function inside(to: string): string {
  const url = new URL(to, location.origin);
  return url.origin === location.origin ? url.pathname + url.search + url.hash : "/";
}

function stored(): Oidc {
  return JSON.parse(sessionStorage.getItem(CLIENT) ?? "null") as Oidc;
}
