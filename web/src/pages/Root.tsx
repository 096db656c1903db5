import { Outlet, useParams } from "@tanstack/react-router";
import { lazy, type ReactNode, Suspense } from "react";
import { Header } from "../components/Header";
import { OfflineNote } from "../components/OfflineNote";
import { LiveProvider } from "../live/LiveProvider";
import { useSession } from "../session/current";
import styles from "./Root.module.css";

const Notifications = lazy(() =>
  import("@mantine/notifications").then((module) => ({ default: module.Notifications })),
);

const SignInPage = lazy(() => import("./SignInPage").then((module) => ({ default: module.SignInPage })));

/** What every view has: the header, the connection to the board's events, and messages. */
export function Root() {
  const { taskId } = useParams({ strict: false });
  const { phase } = useSession();
  if (phase !== "in") return <Outside>{phase === "out" && <SignInPage />}</Outside>;
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

/** Before it is known who looks: nothing of the board is asked for or shown. */
function Outside({ children }: { children: ReactNode }) {
  return (
    <>
      <Header bare />
      <main id="content" className={styles.main} tabIndex={-1}>
        <Suspense>{children}</Suspense>
      </main>
    </>
  );
}
