import type { Setting } from "./setting.ts";
import { SETTING_GROUPS } from "./table/settings-table.ts";

const HEAD = `# Settings of Penstock, all optional but DATABASE_URL (npm start sets that one itself).
# Unknown PENSTOCK_* names are refused, but for PENSTOCK_SECRET_*, which no service reads.
`;

/** The text of `.env.example`: every setting with its default, commented out. */
export function renderEnvExample(): string {
  const groups = Object.entries(SETTING_GROUPS).map(([title, settings]) => {
    const entries = Object.values<Setting<unknown>>(settings).map(renderSetting);
    return [`\n# ---- ${title}\n`, ...entries].join("\n");
  });
  return `${HEAD}${groups.join("\n")}`;
}

function renderSetting(setting: Setting<unknown>): string {
  return `# ${setting.description} (${setting.kind})\n# ${setting.name}=${setting.defaultText ?? ""}\n`;
}
