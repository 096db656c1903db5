import { useQuery } from "@tanstack/react-query";
import { allProjects } from "../api/queries";
import { LoadingRows } from "../components/Loading";
import { ProjectCard } from "../components/ProjectCard";
import { Note, Surface } from "../components/Section";
import { LoadTrouble } from "../components/Trouble";
import { useI18n } from "../i18n/I18n";
import { useTitle } from "../lib/title";
import styles from "./ProjectsPage.module.css";

/** All projects, each with its tasks in figures. */
export function ProjectsPage() {
  const { t } = useI18n();
  const { data: projects, error, refetch } = useQuery(allProjects());
  useTitle(t.projects.title);
  return (
    <>
      <h1 className={styles.title}>{t.projects.title}</h1>
      {!projects && error && <LoadTrouble error={error} retry={refetch} />}
      {!projects && !error && <LoadingRows rows={2} />}
      {projects?.length === 0 && (
        <Surface>
          <Note>{t.empty.projects}</Note>
        </Surface>
      )}
      <ul className={styles.cards}>
        {projects?.map((project) => (
          <ProjectCard key={project.project_id} project={project} />
        ))}
      </ul>
    </>
  );
}
