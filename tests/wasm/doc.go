// Package wasm holds rules in several languages, compiled to WebAssembly, and has
// the real ocjail judge by them, and by ill-natured ones.
package wasm
