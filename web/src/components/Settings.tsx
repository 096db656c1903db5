import { ActionIcon, type MantineColorScheme, Menu, useMantineColorScheme } from "@mantine/core";
import { IconAdjustmentsHorizontal, IconLogout } from "@tabler/icons-react";
import type { Language } from "../i18n/format";
import { roleName } from "../i18n/I18n";
import styles from "./Settings.module.css";
import { session, useSession } from "../session/current";
import { LANGUAGES, useI18n } from "../i18n/I18n";

const SCHEMES: readonly MantineColorScheme[] = ["auto", "light", "dark"];

/** Language and appearance; who is signed in. */
export function Settings() {
  const { t, language, setLanguage } = useI18n();
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  return (
    <Menu
      position="bottom-end"
      width={180}
      shadow="md"
      withinPortal={false}
      withInitialFocusPlaceholder={false}
    >
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          size={34}
          aria-label={t.settings.open}
          title={t.settings.open}
        >
          <IconAdjustmentsHorizontal size={19} stroke={1.7} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Account />
        <Menu.RadioGroup
          value={colorScheme}
          onChange={(value) => setColorScheme(value as MantineColorScheme)}
        >
          <Menu.Label role="presentation">{t.settings.appearance}</Menu.Label>
          {SCHEMES.map((scheme) => (
            <Menu.RadioItem key={scheme} value={scheme}>
              {t.settings[scheme]}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        <Menu.Divider role="separator" />
        <Menu.RadioGroup value={language} onChange={(value) => setLanguage(value as Language)}>
          <Menu.Label role="presentation">{t.settings.language}</Menu.Label>
          {(Object.keys(LANGUAGES) as Language[]).map((each) => (
            <Menu.RadioItem key={each} value={each}>
              <span lang={each}>{LANGUAGES[each].name}</span>
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
      </Menu.Dropdown>
    </Menu>
  );
}

/** Who is signed in, and the way out; nothing where nobody needs to be. */
function Account() {
  const { t } = useI18n();
  const { user } = useSession();
  if (!user && session.token === null) return null;
  return (
    <>
      {user && (
        <Menu.Label>
          <span className={styles.subject} title={user.subject}>
            {t.account.signedInAs(user.subject)}
          </span>
          <span className={styles.role}>{roleName(t, user.role)}</span>
        </Menu.Label>
      )}
      <Menu.Item
        leftSection={<IconLogout size={15} stroke={1.7} aria-hidden />}
        onClick={() => void session.signOut()}
      >
        {t.account.signOut}
      </Menu.Item>
      <Menu.Divider role="separator" />
    </>
  );
}
