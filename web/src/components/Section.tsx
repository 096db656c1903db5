import { type ReactNode, useId } from "react";
import { useI18n } from "../i18n/I18n";
import styles from "./Surface.module.css";

interface Props {
  title: string;
  count?: number;
  children: ReactNode;
}

/** A titled part of a page. */
export function Section({ title, count, children }: Props) {
  const id = useId();
  const { format } = useI18n();
  return (
    <section className={styles.section} aria-labelledby={id}>
      <h2 className={styles.heading} id={id}>
        {title}
        {count !== undefined && <span className={`figures ${styles.count}`}>{format.number(count)}</span>}
      </h2>
      {children}
    </section>
  );
}

/** A sheet that holds rows or other things. */
export function Surface({ children, as: Tag = "div" }: { children: ReactNode; as?: "div" | "ul" }) {
  return <Tag className={styles.surface}>{children}</Tag>;
}

/** One quiet sentence on a sheet. */
export function Note({ children }: { children: ReactNode }) {
  return <p className={styles.note}>{children}</p>;
}
