import { Button, PasswordInput } from "@mantine/core";
import { type ClipboardEvent, type FormEvent, useState } from "react";
import { useI18n } from "../i18n/I18n";
import { session } from "../session/current";
import type { Reason } from "../session/session";
import styles from "./TokenForm.module.css";

/** A field for a token, which is tried as soon as it is pasted. `folded`: behind a button, where there is a better way. */
export function TokenForm({ folded }: { folded: boolean }) {
  const { t } = useI18n();
  const [open, setOpen] = useState(!folded);
  if (open) return <Form focused={folded} />;
  return (
    <Button variant="default" fullWidth size="md" onClick={() => setOpen(true)}>
      {t.signIn.useToken}
    </Button>
  );
}

function Form({ focused }: { focused: boolean }) {
  const { t } = useI18n();
  const [token, setToken] = useState("");
  const [reason, setReason] = useState<Reason | null>(null);
  const [asking, setAsking] = useState(false);
  const enter = async (given: string) => {
    setAsking(true);
    setReason(await session.enter(given));
    setAsking(false);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (token.trim()) void enter(token);
  };
  const paste = (event: ClipboardEvent) => {
    const pasted = event.clipboardData.getData("text").trim();
    if (token || !pasted) return;
    event.preventDefault();
    setToken(pasted);
    void enter(pasted);
  };
  return (
    <form className={styles.form} onSubmit={submit} aria-label={t.signIn.useToken}>
      <PasswordInput
        label={t.signIn.token}
        description={t.signIn.hint}
        classNames={{ description: styles.description, error: styles.error }}
        placeholder="eyJ…"
        size="md"
        autoComplete="off"
        spellCheck={false}
        autoFocus={focused}
        value={token}
        onChange={(event) => {
          setToken(event.currentTarget.value);
          setReason(null);
        }}
        onPaste={paste}
        aria-invalid={reason !== null}
        error={reason && t.signIn.reason[reason]}
        errorProps={{ role: "alert" }}
        visibilityToggleButtonProps={{ "aria-label": t.signIn.show }}
        visibilityToggleFocusable
      />
      <Button type="submit" variant={focused ? "default" : "filled"} fullWidth size="md" loading={asking}>
        {t.signIn.enter}
      </Button>
      <p className={styles.kept}>{t.signIn.kept}</p>
    </form>
  );
}
