import { Link } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { useI18n } from "../i18n/I18n";
import { FeedMark } from "./FeedMark";
import styles from "./Header.module.css";

const Settings = lazy(() => import("./Settings").then((module) => ({ default: module.Settings })));

/** The name, the ways through the page, and how it hears of changes; `bare`: while nobody is signed in. */
export function Header({ bare = false }: { bare?: boolean }) {
  const { t } = useI18n();
  return (
    <header className={styles.header}>
      <a href="#content" className={styles.skip}>
        {t.nav.skip}
      </a>
      <div className={styles.inner}>
        <Link to="/" className={styles.brand} aria-label={`Miyabi – ${t.nav.board}`}>
          <Mark />
          <span className={styles.name}>Miyabi</span>
        </Link>
        {bare ? <span className={styles.nav} /> : <Ways />}
        {!bare && <FeedMark />}
        <span className={styles.settings}>
          <Suspense>
            <Settings />
          </Suspense>
        </span>
      </div>
    </header>
  );
}

function Mark() {
  return (
    <svg width="22" height="22" viewBox="0 0 32 32" aria-hidden="true" className={styles.mark}>
      <rect width="32" height="32" rx="8" />
      <path d="M8.5 10h15M8.5 16h10M8.5 22h5" />
    </svg>
  );
}

function Ways() {
  const { t } = useI18n();
  return (
    <nav aria-label={t.nav.main} className={styles.nav}>
      <Link to="/" activeOptions={{ exact: true }}>
        {t.nav.board}
      </Link>
      <Link to="/tasks">{t.nav.tasks}</Link>
      <Link to="/projects">{t.nav.projects}</Link>
    </nav>
  );
}
