import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Source, Task } from "../api/types";
import { typeName, useI18n } from "../i18n/I18n";
import { isFinal } from "../live/merge";
import { Elapsed } from "./Elapsed";
import styles from "./TaskFacts.module.css";

/** What is known of a task, in two columns of words and figures. */
export function TaskFacts({ task }: { task: Task }) {
  const { t, format } = useI18n();
  const { details, github } = task;
  const time = (iso: string | null | undefined) => iso && format.time(Date.parse(iso));
  return (
    <dl className={styles.facts}>
      <Fact name={isFinal(task) ? t.task.duration : t.task.elapsed}>
        <Elapsed task={task} />
      </Fact>
      <Fact name={t.task.started}>{time(details?.started_at ?? task.created_at)}</Fact>
      <Fact name={t.task.ended}>{time(task.completed_at)}</Fact>
      <Fact name={t.task.project}>
        <Link to="/projects/$projectId" params={{ projectId: task.project_id }} className={styles.link}>
          {task.project_id}
        </Link>
      </Fact>
      <Fact name={t.task.type}>{typeName(t, task.task_type)}</Fact>
      <Fact name={t.task.exitCode}>{details?.exit_code}</Fact>
      {github?.issue_url && github.issue_number && (
        <Fact name="GitHub">
          <Outside href={github.issue_url}>{t.task.issue(github.issue_number)}</Outside>
        </Fact>
      )}
      {github?.pr_url && github.pr_number && (
        <Fact name="GitHub">
          <Outside href={github.pr_url}>{t.task.pull(github.pr_number)}</Outside>
        </Fact>
      )}
      <Fact name={t.task.command} wide>
        {details?.command && <code>{details.command}</code>}
      </Fact>
      <Fact name={t.task.description} wide>
        {task.description}
      </Fact>
    </dl>
  );
}

function Fact({ name, wide, children }: { name: string; wide?: boolean; children: ReactNode }) {
  if (children === null || children === undefined || children === "") return null;
  return (
    <div className={styles.fact} data-wide={wide || undefined}>
      <dt>{name}</dt>
      <dd className={wide ? undefined : "figures"}>{children}</dd>
    </div>
  );
}

/** A link away from the page; anything but a web address is not one. */
function Outside({ href, children }: { href: string; children: ReactNode }) {
  if (!/^https?:\/\//.test(href)) return children;
  return (
    <a href={href} target="_blank" rel="noreferrer noopener" className={styles.link}>
      {children}
    </a>
  );
}

/** Where the figure comes from, so that anybody can check it. */
export function SourceLine({ source }: { source: Source }) {
  const { t, format } = useI18n();
  const confidence = source.confidence ?? 1;
  return (
    <p className={styles.source}>
      <span>
        {t.task.source} <b>{source.format}</b>
        {", "}
        {t.task.line(format.number(source.line))}
        {confidence < 1 && ` (${t.task.sure(format.rate(confidence))})`}
      </span>
      <code title={source.text}>{source.text}</code>
    </p>
  );
}
