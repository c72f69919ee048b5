package worker

import "path/filepath"

// Started tells whether there is a process.
func (w *Worker) Started() bool { return w.with != nil }

// Judging is the name of the program that was started last, "" for none.
func (w *Worker) Judging() string {
	if w.with == nil {
		return ""
	}
	return filepath.Base(w.with.process.cmd.Path)
}
