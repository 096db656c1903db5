import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import type { Task } from "../api/types";
import { isFinal } from "../live/merge";
import { Surface } from "./Section";
import styles from "./TaskList.module.css";
import { TaskRow } from "./TaskRow";

interface Props {
  tasks: Task[];
  /** There is another page. */
  more?: boolean;
  loading?: boolean;
  load?: () => void;
  withoutProject?: boolean;
  /** Every row says its status in words. */
  mixed?: boolean;
}

const ENDED_PX = 52;
const ACTIVE_PX = 94;
const AHEAD = 30;

/** A list of any length: rows are drawn only where they are seen, and the next page is loaded before its end. */
export function TaskList({ tasks, more, loading, load, withoutProject, mixed = false }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  // eslint-disable-next-line react-hooks/exhaustive-deps -- what stands above may grow at any time
  useLayoutEffect(() => setTop(box.current?.offsetTop ?? 0));
  const virtual = useWindowVirtualizer({
    count: tasks.length,
    estimateSize: (index) => (tasks[index] && !isFinal(tasks[index]) ? ACTIVE_PX : ENDED_PX),
    getItemKey: (index) => tasks[index]?.task_id ?? index,
    scrollMargin: top,
    overscan: 12,
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && !loading && last >= tasks.length - AHEAD) load?.();
  }, [more, loading, last, tasks.length, load]);
  return (
    <div ref={box}>
      <Surface>
        <div className={styles.list} style={{ height: virtual.getTotalSize() }}>
          <ul
            className={styles.rows}
            style={{ transform: `translateY(${(items[0]?.start ?? top) - top}px)` }}
          >
            {items.map((item) => {
              const task = tasks[item.index];
              return (
                task && (
                  <TaskRow
                    key={item.key}
                    task={task}
                    withoutProject={withoutProject}
                    index={item.index}
                    measure={virtual.measureElement}
                    mixed={mixed}
                  />
                )
              );
            })}
          </ul>
        </div>
      </Surface>
    </div>
  );
}
