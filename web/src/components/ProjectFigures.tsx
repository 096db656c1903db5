import type { Project } from "../api/types";
import { useI18n } from "../i18n/I18n";
import styles from "./ProjectFigures.module.css";

/** What runs, how often it succeeds, how long it takes. */
export function ProjectFigures({ project }: { project: Project }) {
  const { t, format } = useI18n();
  const { success_rate: rate, mean_duration_seconds: mean } = project;
  const figures = [
    [t.status.running, format.number(project.tally.running ?? 0)],
    [t.projects.success, rate === null ? t.projects.unknown : format.rate(rate)],
    [t.projects.mean, mean === null ? t.projects.unknown : format.duration(mean)],
  ] as const;
  return (
    <dl className={styles.figures}>
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd className="figures">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
