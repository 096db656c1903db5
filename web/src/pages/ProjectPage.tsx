import { Skeleton } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { oneProject, taskPages } from "../api/queries";
import type { Project } from "../api/types";
import { Counts } from "../components/Counts";
import { LoadingRows } from "../components/Loading";
import { ProjectFigures } from "../components/ProjectFigures";
import { Note, Section, Surface } from "../components/Section";
import { TaskList } from "../components/TaskList";
import { isMissing, LoadTrouble, Missing } from "../components/Trouble";
import { useI18n } from "../i18n/I18n";
import { countOf } from "../lib/task";
import { useTitle } from "../lib/title";
import styles from "./ProjectPage.module.css";

/** One project: its figures and its tasks. */
export function ProjectPage() {
  const { t } = useI18n();
  const { projectId } = useParams({ from: "/projects/$projectId" });
  const { data: project, error, refetch } = useQuery(oneProject(projectId));
  useTitle(project?.project_name ?? projectId);
  if (isMissing(error)) return <Missing title={t.projects.missing} text={t.projects.missingHint} />;
  if (error && !project) return <LoadTrouble error={error} retry={refetch} />;
  return (
    <>
      <nav className={styles.crumbs} aria-label={t.nav.projects}>
        <Link to="/projects">{t.nav.projects}</Link>
        <span aria-hidden="true">/</span>
        <span>{projectId}</span>
      </nav>
      {project ? <Head project={project} /> : <Skeleton height={150} radius={10} />}
      <Section title={t.projects.tasks} count={project && countOf(project.tally)}>
        <Tasks projectId={projectId} />
      </Section>
    </>
  );
}

function Head({ project }: { project: Project }) {
  return (
    <div className={styles.head}>
      <div className={styles.top}>
        <div>
          <h1>{project.project_name}</h1>
          <p className={styles.about}>{project.description}</p>
        </div>
        <ProjectFigures project={project} />
      </div>
      <Counts tally={project.tally} project={project.project_id} />
    </div>
  );
}

function Tasks({ projectId }: { projectId: string }) {
  const { t } = useI18n();
  const tasks = useInfiniteQuery(taskPages({ project_id: projectId }));
  const held = tasks.data?.pages.flatMap((page) => page.tasks);
  if (!held) return <LoadingRows rows={4} />;
  if (held.length === 0) {
    return (
      <Surface>
        <Note>{t.empty.title}</Note>
      </Surface>
    );
  }
  return (
    <TaskList
      tasks={held}
      more={tasks.hasNextPage}
      loading={tasks.isFetchingNextPage}
      load={() => void tasks.fetchNextPage()}
      mixed
      withoutProject
    />
  );
}
