import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

/** Each file also packed, once and well, as counterfoil/graphiql.py serves it. */
function packed(): Plugin {
  return {
    name: "packed",
    generateBundle(_options, bundle) {
      for (const file of Object.values(bundle)) {
        const content = file.type === "chunk" ? file.code : file.source;
        const source = gzipSync(content, { level: 9 });
        if (source.length < content.length) this.emitFile({ type: "asset", fileName: `${file.fileName}.gz`, source });
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
