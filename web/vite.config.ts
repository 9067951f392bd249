import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

/** Each file also packed, once and well, as counterfoil/graphiql.py serves it. */
function packed(): Plugin {
  return {
    name: "packed",
    // After Vite's own plugins: they still write into what they have generated.
    writeBundle({ dir }, bundle) {
      for (const { fileName } of Object.values(bundle)) {
        const file = join(dir!, fileName);
        writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  // Relative, so that a proxy may serve all of it below a path of its own.
  base: "./",
  logLevel: "error",
  plugins: [packed()],
  worker: { format: "es" },
  build: {
    target: "es2022",
    // The Content-Security-Policy lets nothing but files of our own origin be scripts and fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
