package host

import "sync"

// answers remembers the first answer to each question. Nobody waits while another asks
// the kernel; where two have asked, both take the answer that was there first, so that
// a snapshot never says two things of one path.
type answers[K comparable, V any] struct {
	mu    sync.Mutex
	known map[K]V
}

func newAnswers[K comparable, V any](room int) *answers[K, V] {
	return &answers[K, V]{known: make(map[K]V, room)}
}

func (a *answers[K, V]) of(question K) (answer V, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	answer, ok = a.known[question]
	return answer, ok
}

// note returns what is remembered: answer, or one before it.
func (a *answers[K, V]) note(question K, answer V) V {
	a.mu.Lock()
	defer a.mu.Unlock()
	if before, ok := a.known[question]; ok {
		return before
	}
	a.known[question] = answer
	return answer
}
