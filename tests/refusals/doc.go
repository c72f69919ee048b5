// Package refusals tests what ocjail refuses and what it protects, in cases that
// take more than a jail and its harmless twin: tests/exploits has those.
package refusals
