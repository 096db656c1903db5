import { useEffect } from "react";

/** Names the browser's tab: `52 % · CDK Deploy · Miyabi`. */
export function useTitle(...parts: (string | null | undefined)[]): void {
  const title = [...parts, "Miyabi"].filter((part) => part).join(" · ");
  useEffect(() => {
    document.title = title;
  }, [title]);
}
