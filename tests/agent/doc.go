// Package agent drives the real opencode with a scripted model through hostile
// and honest acts, and sees on the host what came of them: once without a jail,
// where everything must happen, or the acts prove nothing, and once under
// ocjail, where only the honest work may.
package agent
