package checker

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/refnil/opencode-jail-devenv/checker/engine/cache"
	"github.com/refnil/opencode-jail-devenv/checker/host"
)

// Keeping is how users' rules are made ready: what is kept of it for the next time,
// and who is told. The zero value keeps nothing and tells nobody.
type Keeping struct {
	Cache cache.Place // none when empty
	// Occasion is as in [worker.Options].
	Occasion []string
	Warn     io.Writer
}

// CacheOf is where a user's cache lies.
func CacheOf(f host.Facts) cache.Place { return cache.Place{Cache: f.CacheDir, Home: f.HomeReal} }

// open opens the cache. One that can not be trusted is as good as none: rules are
// compiled anew then, and nothing is run that anybody else could have written.
func (k Keeping) open() *cache.Cache {
	if k.Cache == (cache.Place{}) {
		return nil
	}
	c, err := cache.Open(k.Cache)
	if err != nil {
		k.note(fmt.Sprintf("your rules are compiled anew each time: %v", err))
		return nil
	}
	return c
}

func (k Keeping) note(message string) {
	if k.Warn != nil {
		fmt.Fprintln(k.Warn, "ocjail: warning: "+message)
	}
}

// compiling is for a person who waits.
func (k Keeping) compiling(module string) {
	if f, ok := k.Warn.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprintf(k.Warn, "ocjail: compiling %s, once (ocjail build --warm does it beforehand)\n", module)
	}
}
