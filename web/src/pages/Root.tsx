import { Notifications } from "@mantine/notifications";
import { Outlet, useParams } from "@tanstack/react-router";
import { Header } from "../components/Header";
import { LiveProvider } from "../live/LiveProvider";
import styles from "./Root.module.css";

/** What every view has: the header, the connection to the board's events, and messages. */
export function Root() {
  const { taskId } = useParams({ strict: false });
  return (
    <LiveProvider taskId={taskId ?? null}>
      <Header />
      <main id="content" className={styles.main} tabIndex={-1}>
        <Outlet />
      </main>
      <Notifications position="bottom-right" limit={3} autoClose={5000} />
    </LiveProvider>
  );
}
