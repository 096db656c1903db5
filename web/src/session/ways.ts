/** The page's client at an OIDC issuer. */
export interface Oidc {
  issuer: string;
  client_id: string;
  scopes: string;
}

/** Whom a token stands for. */
export interface User {
  subject: string;
  role: string;
}

/** The answer of `GET /api/sign-in`: how to sign in (neither way: nobody needs to), and who sent the token. */
export interface SignIn {
  oidc: Oidc | null;
  token: boolean;
  user: User | null;
}

/** Asks the board; rejects when it does not answer, or can't say just now. */
export async function askSignIn(token: string | null): Promise<SignIn> {
  const headers: HeadersInit = token === null ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch("/api/sign-in", { headers, cache: "no-store" });
  if (!response.ok) throw new Error(`${response.status}`);
  return (await response.json()) as SignIn;
}
