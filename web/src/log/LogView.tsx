import { ActionIcon, Button } from "@mantine/core";
import { IconArrowBarToDown, IconTextWrap } from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useLayoutEffect, useRef, useState, useSyncExternalStore } from "react";
import { useI18n } from "../i18n/I18n";
import { LogRow } from "./LogRow";
import styles from "./LogView.module.css";
import type { LogStore } from "./store";

export const ROW_PX = 20;
/** So near to the end a reader is following. */
const NEAR_PX = 24;
/** So near to the beginning older lines are loaded. */
const OLDER_PX = 1_000;

/** A stream's lines, live: drawn only where they are seen, following the end until the reader scrolls away. */
export function LogView({ store }: { store: LogStore }) {
  const { t, format } = useI18n();
  const view = useSyncExternalStore(store.subscribe, store.snapshot);
  const [wrap, setWrap] = useState(false);
  const [follow, setFollow] = useState(true);
  const box = useRef<HTMLDivElement>(null);
  const { rows } = view;
  const lines = rows.at(-1)?.line ?? rows.length;
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_PX,
    getItemKey: (index) => rows[index]?.position ?? index,
    overscan: 20,
  });

  useEffect(() => {
    store.following = follow;
  }, [store, follow]);
  useKeepPlace(box, view.prepended, view.version);
  useLayoutEffect(() => {
    if (follow && rows.length > 0) virtual.scrollToIndex(rows.length - 1, { align: "end" });
    // eslint-disable-next-line react-hooks/exhaustive-deps -- each change of the rows moves the end
  }, [follow, view.version, wrap]);
  // eslint-disable-next-line react-hooks/exhaustive-deps -- wrapping changes every height
  useEffect(() => virtual.measure(), [wrap]);

  const lastTop = useRef(0);
  const scrolled = useCallback(() => {
    const element = box.current;
    if (!element) return;
    const rest = element.scrollHeight - element.clientHeight - element.scrollTop;
    const up = element.scrollTop < lastTop.current;
    lastTop.current = element.scrollTop;
    if (rest < NEAR_PX) setFollow(true);
    else if (up) setFollow(false);
    if (element.scrollTop < OLDER_PX && store.snapshot().older) void store.older().catch(() => undefined);
  }, [store]);
  const leave = (event: React.WheelEvent) => event.deltaY < 0 && setFollow(false);

  return (
    <div className={styles.log}>
      <div className={styles.bar}>
        <span className="figures">{t.log.lines(lines, format.number(lines))}</span>
        <span className={styles.space} />
        <ActionIcon
          variant={wrap ? "light" : "subtle"}
          color={wrap ? undefined : "gray"}
          aria-label={t.log.wrap}
          title={t.log.wrap}
          aria-pressed={wrap}
          onClick={() => setWrap(!wrap)}
        >
          <IconTextWrap size={17} stroke={1.7} aria-hidden />
        </ActionIcon>
        <Button
          size="compact-sm"
          variant={follow ? "light" : "default"}
          aria-pressed={follow}
          leftSection={<IconArrowBarToDown size={15} stroke={1.8} aria-hidden />}
          onClick={() => setFollow(!follow)}
        >
          {follow ? t.log.following : t.log.follow}
        </Button>
      </div>
      <div
        ref={box}
        className={styles.box}
        role="log"
        aria-label={t.log.label}
        aria-live="off"
        // a box that scrolls must be reachable by keyboard
        tabIndex={0}
        data-wrap={wrap || undefined}
        onScroll={scrolled}
        onWheel={leave}
      >
        {rows.length === 0 && <p className={styles.none}>{t.empty.log}</p>}
        <div className={styles.rows} style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const row = rows[item.index];
            return (
              row && (
                <div
                  key={item.key}
                  ref={wrap ? virtual.measureElement : undefined}
                  data-index={item.index}
                  className={styles.place}
                  style={{ transform: `translateY(${item.start}px)` }}
                >
                  <LogRow row={row} />
                </div>
              )
            );
          })}
        </div>
      </div>
    </div>
  );
}

/** Keeps the line that a reader looks at where it is when older ones come in above it. */
function useKeepPlace(box: React.RefObject<HTMLDivElement | null>, prepended: number, version: number): void {
  useLayoutEffect(() => {
    if (prepended > 0 && box.current) box.current.scrollTop += prepended * ROW_PX;
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once for each change of the rows
  }, [version]);
}
