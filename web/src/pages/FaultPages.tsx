import { Button } from "@mantine/core";
import type { ErrorComponentProps } from "@tanstack/react-router";
import { Missing, Trouble } from "../components/Trouble";
import { useI18n } from "../i18n/I18n";
import { useTitle } from "../lib/title";

/** No view has this address. */
export function NotFoundPage() {
  const { t } = useI18n();
  useTitle(t.error.page);
  return <Missing title={t.error.page} />;
}

/** A view broke while it was drawn, or its script could not be loaded. */
export function BrokenPage({ error }: ErrorComponentProps) {
  const { t } = useI18n();
  return (
    <Trouble page title={t.error.broken} text={error instanceof Error ? error.message : String(error)}>
      <Button variant="default" onClick={() => window.location.reload()}>
        {t.error.reload}
      </Button>
    </Trouble>
  );
}
