import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// `npm run dev` serves the page and hands the API to a host that runs beside it.
const host = process.env.KEELSON_URL ?? 'https://localhost:1280';
// The host's certificate is its own CA's; the proxy talks to this machine only.
const proxied = { target: host, secure: false };

export default defineConfig({
  plugins: [react()],
  server: { host: 'localhost', proxy: { '/api': proxied, '/ui/session': proxied } },
  build: {
    target: 'es2022',
    // These know light-dark(); for older ones it would be rewritten in a way that misses Mantine's color-scheme.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    // The host sends `default-src 'self'`: no data: addresses and no inline scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: { include: ['src/**/*.test.ts'] },
});
