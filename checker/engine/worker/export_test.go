package worker

// Started tells whether there is a process.
func (w *Worker) Started() bool { return w.with != nil }
