// Unpacks a headless Chromium, the libraries that small machines lack, and fonts: unpack.mjs FROM TO

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";

const [from, to] = process.argv.slice(2);
const unpacked = (name) => brotliDecompressSync(readFileSync(join(from, name)));

writeFileSync(join(to, "chromium"), unpacked("chromium.br"), { mode: 0o755 });
for (const name of ["al2023.tar.br", "fonts.tar.br"]) {
  execFileSync("tar", ["-x", "--no-same-owner", "-C", to], { input: unpacked(name) });
}

// The package's own names folders of another place.
const fonts = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`;
writeFileSync(join(to, "fonts.conf"), fonts);
