import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import { type Dictionary, en } from "./en";
import { type Formatter, formatter, type Language } from "./format";
import { ja } from "./ja";

export const LANGUAGES: Record<Language, Dictionary> = { en, ja };
const STORED = "miyabi-language";

export interface I18n {
  language: Language;
  setLanguage(language: Language): void;
  /** Everything the page says, in the language. */
  t: Dictionary;
  format: Formatter;
}

const Context = createContext<I18n | null>(null);

/** The language that was chosen, or else the first of the browser's that is there. */
export function preferred(stored: string | null, languages: readonly string[]): Language {
  if (stored === "en" || stored === "ja") return stored;
  for (const language of languages) {
    if (language.startsWith("ja")) return "ja";
    if (language.startsWith("en")) return "en";
  }
  return "en";
}

export function I18nProvider({ children }: { children: ReactNode }) {
  const [language, choose] = useState(() => preferred(localStorage.getItem(STORED), navigator.languages));
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const value = useMemo<I18n>(
    () => ({
      language,
      setLanguage: (chosen) => {
        localStorage.setItem(STORED, chosen);
        choose(chosen);
      },
      t: LANGUAGES[language],
      format: formatter(language),
    }),
    [language],
  );
  return <Context value={value}>{children}</Context>;
}

export function useI18n(): I18n {
  const value = useContext(Context);
  if (!value) throw new Error("useI18n needs an I18nProvider above it");
  return value;
}

/** A task type's name: a known one's in the language, another as it was given. */
export function typeName(t: Dictionary, type: string): string {
  return t.type[type] ?? type.replaceAll("_", " ");
}

/** A role's name: a known one's in the language. */
export function roleName(t: Dictionary, role: string): string {
  return t.account.role[role] ?? role;
}
