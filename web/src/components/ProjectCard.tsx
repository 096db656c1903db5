import { Link } from "@tanstack/react-router";
import type { Project } from "../api/types";
import { useI18n } from "../i18n/I18n";
import { countOf } from "../lib/task";
import styles from "./ProjectCard.module.css";
import { ProjectFigures } from "./ProjectFigures";
import { TallyLine } from "./TallyLine";

/** A project at a glance; the whole card leads to it. */
export function ProjectCard({ project }: { project: Project }) {
  const { t } = useI18n();
  return (
    <li className={styles.card}>
      <div className={styles.head}>
        <h2>
          <Link to="/projects/$projectId" params={{ projectId: project.project_id }} className={styles.name}>
            {project.project_name}
          </Link>
        </h2>
        <span className={`figures ${styles.total}`}>{t.projects.total(countOf(project.tally))}</span>
      </div>
      <TallyLine tally={project.tally} />
      <ProjectFigures project={project} />
    </li>
  );
}
