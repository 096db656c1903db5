import { ActionIcon, type MantineColorScheme, Menu, useMantineColorScheme } from "@mantine/core";
import { IconAdjustmentsHorizontal, IconCheck } from "@tabler/icons-react";
import type { ReactNode } from "react";
import type { Language } from "../i18n/format";
import { LANGUAGES, useI18n } from "../i18n/I18n";

const SCHEMES: readonly MantineColorScheme[] = ["auto", "light", "dark"];

/** Language and appearance. */
export function Settings() {
  const { t, language, setLanguage } = useI18n();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Menu position="bottom-end" width={180} shadow="md" withinPortal={false}>
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
        <Menu.Label>{t.settings.appearance}</Menu.Label>
        {SCHEMES.map((scheme) => (
          <Choice key={scheme} chosen={colorScheme === scheme} choose={() => setColorScheme(scheme)}>
            {t.settings[scheme]}
          </Choice>
        ))}
        <Menu.Divider />
        <Menu.Label>{t.settings.language}</Menu.Label>
        {(Object.keys(LANGUAGES) as Language[]).map((each) => (
          <Choice key={each} chosen={language === each} choose={() => setLanguage(each)}>
            <span lang={each}>{LANGUAGES[each].name}</span>
          </Choice>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function Choice(props: { chosen: boolean; choose: () => void; children: ReactNode }) {
  return (
    <Menu.Item
      role="menuitemradio"
      aria-checked={props.chosen}
      onClick={props.choose}
      rightSection={props.chosen ? <IconCheck size={15} stroke={2} aria-hidden /> : undefined}
    >
      {props.children}
    </Menu.Item>
  );
}
