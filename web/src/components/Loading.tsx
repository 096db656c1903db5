import { Skeleton } from "@mantine/core";
import styles from "./Loading.module.css";
import { Surface } from "./Section";

/** Rows to come, as tall as the real ones, so that nothing jumps when those are there. */
export function LoadingRows({ rows }: { rows: number }) {
  return (
    <Surface>
      <div aria-busy="true" className={styles.rows}>
        {Array.from({ length: rows }, (_, index) => (
          // the rows have nothing else
          <div key={index} className={styles.row}>
            <Skeleton height={14} width="32%" />
            <Skeleton height={6} />
            <Skeleton height={12} width="20%" />
          </div>
        ))}
      </div>
    </Surface>
  );
}
