import { Outlet, useParams } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { Header } from "../components/Header";
import { OfflineNote } from "../components/OfflineNote";
import { LiveProvider } from "../live/LiveProvider";
import styles from "./Root.module.css";

const Notifications = lazy(() =>
  import("@mantine/notifications").then((module) => ({ default: module.Notifications })),
);

/** What every view has: the header, the connection to the board's events, and messages. */
export function Root() {
  const { taskId } = useParams({ strict: false });
  return (
    <LiveProvider taskId={taskId ?? null}>
      <Header />
      <OfflineNote />
      <main id="content" className={styles.main} tabIndex={-1}>
        <Outlet />
      </main>
      <Suspense>
        <Notifications position="bottom-right" limit={3} autoClose={5000} />
      </Suspense>
    </LiveProvider>
  );
}
