// Package page looks at what `ocjail inspect --html` writes in a real browser,
// headless Chromium, which it drives through the DevTools protocol
// (https://chromedevtools.github.io/devtools-protocol/).
package page
