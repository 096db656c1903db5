import { Button, Divider } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useRouterState } from "@tanstack/react-router";
import { useState } from "react";
import { TokenForm } from "../components/TokenForm";
import type { Dictionary } from "../i18n/en";
import { useI18n } from "../i18n/I18n";
import { useTitle } from "../lib/title";
import { session, useSession } from "../session/current";
import type { Reason } from "../session/session";
import type { Oidc } from "../session/ways";
import styles from "./SignInPage.module.css";

const AGAIN_MS = 3_000;

/** Who looks has to say who they are; the address stays, so that they go on where they were. */
export function SignInPage() {
  const { t } = useI18n();
  const { ways, reason } = useSession();
  useTitle(t.signIn.title);
  useWays();
  return (
    <section className={styles.sheet} aria-labelledby="sign-in">
      <Mark />
      <h1 id="sign-in" className={styles.title}>
        {t.signIn.title}
      </h1>
      <p className={styles.lead}>{t.signIn.lead}</p>
      {reason && (
        <p className={styles.reason} role="alert">
          {said(t, reason)}
        </p>
      )}
      {!ways && <p className={styles.hint}>{t.signIn.asking}</p>}
      {ways?.oidc && <AtIssuer oidc={ways.oidc} />}
      {ways?.oidc && <Divider label={t.signIn.or} className={styles.or} />}
      {ways && <TokenForm folded={ways.oidc !== null} />}
    </section>
  );
}

/** Asks until the board says how to sign in. */
function useWays(): void {
  const { ways } = useSession();
  useQuery({
    queryKey: ["sign-in"],
    queryFn: async () => {
      await session.learn();
      return true;
    },
    enabled: ways === null,
    retry: true,
    retryDelay: AGAIN_MS,
  });
}

/** During use a token ends or is withdrawn; to somebody who has just tried, more can be said. */
function said(t: Dictionary, reason: Reason): string {
  if (reason === "expired") return t.signIn.ended;
  if (reason === "foreign" || reason === "malformed") return t.signIn.turnedAway;
  return t.signIn.reason[reason];
}

function AtIssuer({ oidc }: { oidc: Oidc }) {
  const { t } = useI18n();
  const here = useRouterState({ select: (state) => state.location.href });
  const [state, setState] = useState<"ready" | "leaving" | "failed">("ready");
  const leave = async () => {
    setState("leaving");
    const { goToIssuer } = await import("../session/oidc");
    await goToIssuer(oidc, here).catch(() => setState("failed"));
  };
  return (
    <div className={styles.issuer}>
      <Button fullWidth size="md" loading={state === "leaving"} onClick={() => void leave()}>
        {t.signIn.oidc}
      </Button>
      {state === "failed" ? (
        <p className={styles.failed} role="alert">
          {t.signIn.reason.unreachable}
        </p>
      ) : (
        <p className={styles.hint}>{t.signIn.at(new URL(oidc.issuer).host)}</p>
      )}
    </div>
  );
}

function Mark() {
  return (
    <svg width="44" height="44" viewBox="0 0 32 32" aria-hidden="true" className={styles.mark}>
      <rect width="32" height="32" rx="8" />
      <path d="M8.5 10h15M8.5 16h10M8.5 22h5" />
    </svg>
  );
}
