import { svelte, vitePreprocess } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'

// The page is served under a strict Content-Security-Policy by the program itself, so nothing may be
// inlined as a script, and everything it needs comes from its own origin.
export default defineConfig({
  plugins: [svelte({ preprocess: vitePreprocess() })],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
  },
  server: { proxy: { '/api': process.env.CIDADAO_API ?? 'http://127.0.0.1:4174' } },
})
