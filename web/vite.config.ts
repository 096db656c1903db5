import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const BUDGET = 200 * 1024;

/** Prints what the first view loads, compressed, and fails the build when its scripts pass the budget. */
function firstLoad(): Plugin {
  return {
    name: "first-load",
    apply: "build",
    generateBundle(_options, bundle) {
      const first = new Set<string>();
      const visit = (name: string) => {
        const chunk = bundle[name];
        if (chunk?.type !== "chunk" || first.has(name)) return;
        first.add(name);
        chunk.imports.forEach(visit);
      };
      for (const chunk of Object.values(bundle)) {
        if (chunk.type === "chunk" && chunk.isEntry) visit(chunk.fileName);
      }
      let scripts = 0;
      for (const name of first) {
        const chunk = bundle[name];
        if (chunk?.type === "chunk") scripts += gzipSync(chunk.code, { level: 9 }).length;
      }
      this.info(`first load: ${(scripts / 1024).toFixed(1)} KiB of script compressed, of ${BUDGET / 1024}`);
      if (scripts > BUDGET) this.error("the first load is over its budget; load a page or a library lazily");
    },
  };
}

export default defineConfig({
  plugins: [firstLoad()],
  build: {
    outDir: "../src/miyabi/webui/dist",
    emptyOutDir: true,
    target: "es2023",
    cssTarget: ["chrome123", "firefox121", "safari17.5"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      onLog(level, log, print) {
        // The libraries mark what runs in a browser; all of this does.
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") print(level, log);
      },
    },
  },
  server: {
    proxy: { "/api": { target: process.env.MIYABI_URL ?? "http://127.0.0.1:8420", changeOrigin: true } },
  },
});
